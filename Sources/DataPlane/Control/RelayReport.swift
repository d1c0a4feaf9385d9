// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// What a relay has counted since it started, and what it has at the moment.
package struct RelayReport: Hashable, Sendable {
  package var release: String
  /// Nanoseconds since it started.
  package var uptime: UInt64
  /// Of the table in force.
  package var generation: UInt64
  package var threads: UInt16 = 1
  package var connections: UInt32
  package var connectionLimit: UInt32
  /// Of UDP clients.
  package var sessions: UInt32
  package var sessionLimit: UInt32
  /// Connections that relays it replaced still have.
  package var inherited: UInt32
  /// Those in the table, and those that left it with connections open.
  package var listeners: [ListenerCounters]
}

/// One listener's counts since it entered the table. Bytes of open connections are included.
package struct ListenerCounters: Hashable, Sendable {
  package struct Endpoint: Hashable, Sendable {
    package enum State: UInt8, Sendable, CaseIterable {
      case ready = 0
      case draining = 1
      /// Left the table, with connections open.
      case gone = 2
    }

    package var id: String
    package var address: IPv4Address
    package var port: UInt16
    package var state: State
    package var open: UInt32
    package var total: UInt64
    package var failuresByKind: [ConnectFailure: UInt64]
    /// From clients to the endpoint.
    package var bytesIn: UInt64
    /// From the endpoint to clients.
    package var bytesOut: UInt64
    /// From the call for a connection until the endpoint had accepted it.
    package var latency: LatencyHistogram

    package var failures: UInt64 { failuresByKind.total }
  }

  package var id: String
  package var port: ListenerPort
  package var strategy: Strategy
  /// False for one that waits for its connections to end.
  package var inTable: Bool
  package var open: UInt32
  package var total: UInt64
  /// Clients turned away.
  package var refusals: [RefusalReason: UInt64]
  /// Endpoints tried after another had failed the same client.
  package var retries: UInt64
  package var bytesIn: UInt64
  package var bytesOut: UInt64
  /// Of all its endpoints, those that are gone included.
  package var latency: LatencyHistogram
  package var endpoints: [Endpoint]

  package var refused: UInt64 { refusals.total }
}

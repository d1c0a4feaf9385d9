// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// What came of programming a table.
package struct TrafficOutcome: Sendable, Hashable {
  /// Of the table in force: the one asked for, or a later one.
  package var generation: UInt64
  /// Listeners that could not be opened, by port, with the reason.
  package var failedPorts: [UInt16: String]

  package init(generation: UInt64, failedPorts: [UInt16: String] = [:]) {
    self.generation = generation
    self.failedPorts = failedPorts
  }
}

/// The node's data plane, as the agent sees it.
package protocol TrafficPlane: Sendable {
  /// Returns when the table, or a later one, is in force. The same generation may come again with an endpoint less.
  func program(_ table: EndpointTable) async throws -> TrafficOutcome

  /// Ends whatever is open to these addresses, so that clients notice: the endpoints there are lost. A table without them is in force.
  func cut(_ addresses: Set<IPv4Address>) async

  /// Nothing is open to this address any more, and nothing will be: what is remembered of its connections is forgotten.
  func forget(_ address: IPv4Address) async

  /// Connections open to each of the endpoints; one that is missing in the answer has none.
  func openConnections(of endpoints: [String]) async throws -> [String: Int]

  /// Connections open to endpoints that drain or have left, the whole of it at every change; one that is missing has none.
  /// A slow reader gets the newest only.
  func drainingConnections() -> AsyncStream<[String: Int]>
}

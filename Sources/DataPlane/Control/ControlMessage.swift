// SPDX-License-Identifier: Apache-2.0

package import Balancing

/// What skepd and the relay say to each other on the control socket.
///
/// The relay speaks first, with `hello` and a duplicate of every listening socket it holds. From then on skepd sends whole
/// tables and questions; questions carry a ticket that the answer repeats.
package enum ControlMessage: Hashable, Sendable {
  /// Raised when a message changes its meaning. `hello` itself never changes, so that any two versions can part in order.
  package static let version: UInt16 = 4

  case hello(Hello)
  case applied(Applied)
  /// Unasked, at most every 50 ms: every endpoint that is draining or left the table with connections open. One that is
  /// missing has none.
  case draining([String: UInt32])
  case counts(ticket: UInt64, [String: UInt32])
  case counters(ticket: UInt64, RelayReport)
  /// From a relay that was replaced to its successor, at most every 50 ms: the connections it still has, by listener and endpoint.
  case held([String: [String: UInt32]])
  /// The program that is installed now takes the relay's place, and will listen where it did.
  case replacing
  /// A newer skepd has connected; this connection ends now.
  case superseded
  /// In the place of an answer: something was not understood, or does not fit together. What was in force stays in force.
  case refused(Refused)

  /// With the descriptors of new listening sockets, in the order of `ports`.
  case table(EndpointTable, ports: [ListenerPort])
  /// For connections made from now on.
  case sources(SourcePolicy)
  case countsRequest(ticket: UInt64, endpoints: [String])
  case countersRequest(ticket: UInt64)
  /// Close the listening sockets, let open connections finish for a while, exit.
  case shutdown

  package struct Hello: Hashable, Sendable {
    package var version = ControlMessage.version
    package var processID: Int32
    package var release: String
    /// Of the last table applied; 0 when there was none.
    package var generation: UInt64
    /// The descriptors' ports, in their order.
    package var ports: [ListenerPort]

    package init(processID: Int32, release: String, generation: UInt64, ports: [ListenerPort]) {
      self.processID = processID
      self.release = release
      self.generation = generation
      self.ports = ports
    }
  }

  package struct Refused: Hashable, Sendable {
    /// Of the message that was refused.
    package var kind: UInt8
    /// Of the table in force.
    package var generation: UInt64
    package var reason: String

    package init(kind: UInt8, generation: UInt64, reason: String) {
      self.kind = kind
      self.generation = generation
      self.reason = reason
    }
  }

  package struct Applied: Hashable, Sendable {
    package var generation: UInt64
    /// Listeners that do not work, with the errno.
    package var failures: [String: Int32]

    package init(generation: UInt64, failures: [String: Int32]) {
      self.generation = generation
      self.failures = failures
    }
  }
}

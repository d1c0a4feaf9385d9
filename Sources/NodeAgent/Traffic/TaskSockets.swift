// SPDX-License-Identifier: Apache-2.0

/// The network namespaces of this node's processes, as the agent sees them.
package protocol TaskSockets: Sendable {
  /// Holds on to the namespace of a process; `nil` when there is no such process. Throws when its sockets cannot be seen.
  func network(ofProcess id: Int) async throws -> (any TaskNetwork)?
}

/// One task's network namespace.
package protocol TaskNetwork: Sendable {
  /// Connections from outside to any of these TCP ports, by whatever way they came, accepted or not.
  func openConnections(to ports: CountedPorts) async throws -> Int

  /// From its return on, attempts from outside to open a TCP connection get no answer. What is open, or was being opened, stays. For good.
  func refuseConnections() async throws
}

/// To which of a task's TCP ports connections count.
package enum CountedPorts: Sendable, Hashable {
  case these(Set<UInt16>)
  /// Whatever it listens on: on an overlay network nobody says which ports are used.
  case all
}

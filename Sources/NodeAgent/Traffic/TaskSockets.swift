// SPDX-License-Identifier: Apache-2.0

/// The network namespaces of this node's processes, as the agent sees them.
package protocol TaskSockets: Sendable {
  /// Holds on to the namespace of a process; `nil` when there is no such process. Throws when its sockets cannot be seen.
  func network(ofProcess id: Int) async throws -> (any TaskNetwork)?
}

/// One task's network namespace.
package protocol TaskNetwork: Sendable {
  /// Connections from outside to any of these TCP ports, by whatever way they came, accepted or not.
  func openConnections(toPorts ports: Set<UInt16>) async throws -> Int
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// What the engine says of a task's container, as far as decisions need it.
package struct ContainerState: Sendable, Hashable {
  package enum Phase: Sendable { case created, running, exited }
  /// `none` where the container has no health check.
  package enum Health: String, Sendable { case none, starting, healthy, unhealthy }

  package var id: String
  package var phase: Phase
  package var health: Health
  package var pid: Int
  package var exitCode: Int
  /// The engine's own reason for a failed start or a lost container; empty when it has none.
  package var error: String
  package var hostPorts: [PortConfig]

  package init(
    id: String, phase: Phase = .created, health: Health = .none, pid: Int = 0, exitCode: Int = 0, error: String = "",
    hostPorts: [PortConfig] = []
  ) {
    self.id = id
    self.phase = phase
    self.health = health
    self.pid = pid
    self.exitCode = exitCode
    self.error = error
    self.hostPorts = hostPorts
  }
}

/// Why an operation on a task's container did not succeed.
package struct TaskFailure: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: Sendable {
    case refused, cancelled
    /// The spec itself cannot be carried out, whatever the engine would say.
    case unresolvable
  }

  package var code: Code
  /// What the user reads in the task's status.
  package var message: String
  /// What the engine has of a container that it could not start.
  package var container: ContainerState?

  package init(_ code: Code, _ message: String, container: ContainerState? = nil) {
    self.code = code
    self.message = message
    self.container = container
  }

  package static let cancelled = TaskFailure(.cancelled, "cancelled")
  package var description: String { message }
}

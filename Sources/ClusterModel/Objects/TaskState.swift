// SPDX-License-Identifier: Apache-2.0

/// Swarm's task states with swarm's numbers; both the desired and the observed state only rise.
package enum TaskState: Int, Sendable, Hashable, Comparable, CaseIterable, Codable {
  case new = 0
  case allocated = 32
  case pending = 64
  case assigned = 192
  case accepted = 256
  case preparing = 320
  case ready = 384
  case starting = 448
  case running = 512
  case complete = 576
  case shutdown = 640
  case failed = 704
  case rejected = 768
  /// Only as a desired state.
  case remove = 800
  case orphaned = 832

  package static func < (left: TaskState, right: TaskState) -> Bool { left.rawValue < right.rawValue }

  /// Nothing of the task is left to stop.
  package var isTerminal: Bool { self > .running }

  package var name: String { "\(self)" }

  package init?(name: some StringProtocol) {
    guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = state
  }
}

/// What is known of a task's progress. From `accepted` on only the task's node writes it.
package struct TaskStatus: Sendable, Hashable {
  /// A host port that the engine gave a host-mode port.
  package typealias HostPort = PortConfig

  package var state: TaskState
  /// When the state was reached.
  package var timestamp: Timestamp
  package var message: String
  /// Why it is as it is, in the words users search for; empty when all is well.
  package var err: String
  package var containerID: String
  package var pid: Int
  package var exitCode: Int
  package var hostPorts: [HostPort]
  /// Fit for traffic: healthy, or accepting on its published port. Never true below or above `running`.
  package var isReady: Bool

  package init(
    state: TaskState, timestamp: Timestamp, message: String, err: String = "", containerID: String = "", pid: Int = 0,
    exitCode: Int = 0, hostPorts: [HostPort] = [], isReady: Bool = false
  ) {
    self.state = state
    self.timestamp = timestamp
    self.message = message
    self.err = err
    self.containerID = containerID
    self.pid = pid
    self.exitCode = exitCode
    self.hostPorts = hostPorts
    self.isReady = isReady
  }

  /// Whether `later` may replace this status: a lower state never does, and at the same state only news.
  package func yields(to later: TaskStatus) -> Bool {
    if later.state != state { return later.state > state }
    return later != self
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskController {
  static let unhealthy = "dockerexec: unhealthy container"

  /// Every status goes through here: it only rises, and each change is reported.
  mutating func transition(_ state: TaskState, _ message: String, err: String = "", isReady: Bool = false, _ now: Now) {
    guard state >= status.state, !status.state.isTerminal else { return }
    var next = status
    next.state = state
    next.message = message
    next.err = err
    next.isReady = isReady
    if let container { next.describe(container) }
    guard next != status else { return }
    next.timestamp = now.wall
    status = next
    actions.append(.report(next))
  }

  mutating func fail(_ reason: String, message: String? = nil, _ now: Now) {
    stopProbing()
    if status.state == .running { actions.append(.withdraw) }
    transition(status.state < .starting ? .rejected : .failed, message ?? status.message, err: reason, now)
  }

  mutating func becomeReady(_ isReady: Bool) {
    guard status.isReady != isReady, status.state == .running else { return }
    status.isReady = isReady
    actions.append(.report(status))
  }

  mutating func stopProbing() {
    guard probing else { return }
    probing = false
    readyDeadline = nil
    actions.append(.stopProbe)
  }
}

extension TaskStatus {
  fileprivate mutating func describe(_ container: ContainerState) {
    containerID = container.id
    pid = container.phase == .running ? container.pid : 0
    exitCode = container.exitCode
    if !container.hostPorts.isEmpty { hostPorts = container.hostPorts }
  }
}

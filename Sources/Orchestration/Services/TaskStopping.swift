// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

extension Transaction {
  /// Has a task stop: through the drain barrier when it serves traffic on a node that can still be told, at once otherwise.
  ///
  /// `state` is `shutdown` or `remove`; what a task is already told is never taken back.
  mutating func stop(_ task: ClusterTask, _ state: TaskState, now: Now) {
    guard var current = self.task(task.id), current.intendedState < state else { return }
    current.updatedAt = now.wall
    if current.servesTraffic, node(current.nodeID).map({ $0.status.state != .down }) ?? false {
      current.drain = .init(desiredState: state)
    } else {
      current.desiredState = state
      current.drain = nil
      current.endIfNeverAssigned(now: now)
    }
    put(current)
  }
}

extension ClusterTask {
  /// Balancers may have connections to it, or open new ones.
  var servesTraffic: Bool {
    isServing && (ingressAddress != nil && !template.ingressPorts.isEmpty || !addresses.isEmpty)
  }

  /// A task that no node knows has nobody else to end it.
  mutating func endIfNeverAssigned(now: Now) {
    guard state < .assigned, desiredState >= .shutdown else { return }
    status.state = .shutdown
    status.message = "shutdown"
    status.err = ""
    status.timestamp = now.wall
  }
}

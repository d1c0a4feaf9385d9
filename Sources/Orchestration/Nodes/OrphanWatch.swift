// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Ends the tasks of nodes that have been down for a day: whoever waits for them waits no longer, and what they held is free.
struct OrphanWatch: Sendable {
  static let patience = Duration.seconds(24 * 3_600)

  private var due: Duration?

  /// Returns when to look again. `dirty` as in a step.
  mutating func advance(_ dirty: DirtySet?, _ transaction: inout Transaction, _ now: Now) -> Duration? {
    if let dirty, dirty.changedNodeIDs.isEmpty, due.map({ now.uptime < $0 }) ?? true { return due }
    var next: [Duration] = []
    for node in transaction.nodes where node.status.state == .down {
      // The wall clock survives a restart; should it be set, this is early or late by as much.
      let rest = (node.status.downSince ?? now.wall) + Self.patience - now.wall
      if rest <= .zero { Self.orphan(node.id, &transaction, now) } else { next.append(now.uptime + rest) }
    }
    due = next.min()
    return due
  }

  private static func orphan(_ node: String, _ transaction: inout Transaction, _ now: Now) {
    for var task in transaction.tasks(onNode: node) where !task.state.isTerminal {
      task.status = TaskStatus(
        state: .orphaned, timestamp: now.wall, message: "Task belonged to a node that has been down for 24 hours",
        containerID: task.status.containerID)
      task.updatedAt = now.wall
      transaction.put(task)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// How the present run of a job stands.
package struct JobCounts: Sendable, Hashable {
  package private(set) var running = 0
  /// Slots that are done; for a global job nodes. Never more than there are, also when a task that was given up for lost completed all
  /// the same.
  package var completed: Int { slots.count + nodes.count }
  /// Tasks on their way to completion.
  package private(set) var unfinished = 0

  private var slots: Set<Int> = []
  private var nodes: Set<String> = []

  fileprivate mutating func add(_ task: ClusterTask) {
    if task.state == .running { running += 1 }
    if task.state != .complete, task.desiredState == .complete { unfinished += 1 }
    guard task.state == .complete else { return }
    if task.slot > 0 { slots.insert(task.slot) } else { nodes.insert(task.nodeID) }
  }
}

extension ClusterStore {
  package func jobCounts(ofService id: String, iteration: UInt64) -> JobCounts {
    var counts = JobCounts()
    for task in unorderedTasks(ofService: id).values where task.jobIteration == iteration { counts.add(task) }
    return counts
  }
}

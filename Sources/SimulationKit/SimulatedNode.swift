// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// A host with its agent and its containers, which outlive the control plane's mistakes and so can prove them.
package struct SimulatedNode: Sendable {
  package enum Container: Sendable, Hashable { case created, running, exited }

  package let id: String
  package internal(set) var isUp = true
  /// By task id.
  package internal(set) var containers: [String: Container] = [:]
  /// The last status reported of each task.
  var statuses: [String: TaskStatus] = [:]
  /// The tasks it was last told, by id.
  var assigned: [String: ClusterTask] = [:]
  /// What is on its way, so that no step is begun twice.
  var busy: Set<String> = []
  /// Endpoint tables: the newest on its way, and the last acknowledged.
  var sentGeneration: UInt64 = 0
  var acknowledged: UInt64 = 0

  package init(id: String) { self.id = id }
}

/// How long things take on a simulated node, and how often they go wrong.
package struct SimulatedBehaviour: Sendable {
  package var prepare: ClosedRange<Double> = 0.05...3
  package var start: ClosedRange<Double> = 0.1...1
  package var becomeReady: ClosedRange<Double> = 0.05...5
  package var stop: ClosedRange<Double> = 0.05...10
  package var acknowledge: ClosedRange<Double> = 0.01...0.3
  /// How long the tasks of jobs work.
  package var job: ClosedRange<Double> = 1...60
  /// Chance that such a task ends in vain.
  package var jobFailure = 0.0
  /// Chance that a container fails to start.
  package var startFailure = 0.0
  /// Chance that a container cannot be made, as without its image.
  package var prepareFailure = 0.0

  package init() {}
}

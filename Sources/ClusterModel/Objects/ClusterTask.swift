// SPDX-License-Identifier: Apache-2.0

/// One attempt to run one container for a service: swarm's task. A change never edits a task's spec, it makes a new task.
///
/// Named so because `Task` is Swift's own.
package struct ClusterTask: Sendable, Hashable {
  /// A stop that waits until balancers have let go of the task: see `TrafficDirector`.
  package struct Drain: Sendable, Hashable, Codable {
    /// What to desire once it is over: `shutdown` or `remove`.
    package var desiredState: TaskState

    package init(desiredState: TaskState) { self.desiredState = desiredState }
  }

  package let id: String
  package let template: TaskTemplate
  /// 1 and up for replicated services, 0 for global ones.
  package let slot: Int
  /// Empty until the scheduler has chosen.
  package var nodeID: String
  package var desiredState: TaskState
  package var status: TaskStatus
  package var drain: Drain?
  /// On the ingress network of its node; given with the node when the service publishes ingress ports.
  package var ingressAddress: IPv4Address?
  /// What the scheduler gave it of its node's, for its reservations.
  package var genericResources: [GenericResource] = []
  /// Its node may no longer run it: once it has stopped, it counts as rejected.
  package var isEvicted = false
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  /// Store version of the last write; 0 before the first.
  package var version: UInt64 = 0

  package init(
    id: String, template: TaskTemplate, slot: Int, nodeID: String = "", desiredState: TaskState, status: TaskStatus,
    createdAt: Timestamp
  ) {
    self.id = id
    self.template = template
    self.slot = slot
    self.nodeID = nodeID
    self.desiredState = desiredState
    self.status = status
    self.createdAt = createdAt
    self.updatedAt = createdAt
  }

  package var serviceID: String { template.key.serviceID }
  package var state: TaskState { status.state }

  /// What it will be told to be once a drain under way is over.
  package var intendedState: TaskState { max(desiredState, drain?.desiredState ?? desiredState) }

  /// Takes a report of its progress; whether it was news. A lower state than is known never is.
  package mutating func report(_ later: TaskStatus, at wall: Timestamp) -> Bool {
    guard status.yields(to: later) else { return false }
    status = later
    updatedAt = wall
    if isEvicted, state == .shutdown {
      status.state = .rejected
      status.message = "task rejected by constraint enforcer"
      status.err = "assigned node no longer meets constraints"
    }
    return true
  }

  /// Meant to run, and not ended.
  package var isLive: Bool { intendedState <= .running && !state.isTerminal }

  /// `web.1.<id>`, or `web.<node id>.<id>` for a global service: also the container's name.
  package var name: String { "\(slotName).\(id)" }

  /// `web.1`, or `web.<node id>` for a global service: what tasks that replace each other share.
  package var slotName: String { "\(template.serviceName).\(slot > 0 ? String(slot) : nodeID)" }
}

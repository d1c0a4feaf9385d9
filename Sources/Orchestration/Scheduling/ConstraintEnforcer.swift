// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Finds the tasks that their node may no longer run after it has changed: its labels, its role, or what it has.
///
/// Swarm's rules: only active nodes are looked at, and a task must satisfy what its service asks for now. Preferences and platforms
/// never evict.
enum ConstraintEnforcer {
  static func evictions(from node: Node, _ transaction: borrowing Transaction) -> [ClusterTask] {
    guard node.spec.availability == "active" else { return [] }
    var room = Room(node.description?.resources)
    var evicted: [ClusterTask] = []
    for task in transaction.tasks(onNode: node.id) where task.state >= .assigned && task.isLive && !task.isEvicted {
      if satisfiesConstraints(task, node, transaction), room.take(task) { continue }
      evicted.append(task)
    }
    return evicted
  }

  /// Global services are not looked at: their orchestrator stops what is on a node that does not match. While a service is being
  /// updated, a task of the spec before is the updater's to move; until then its own constraints hold.
  private static func satisfiesConstraints(_ task: ClusterTask, _ node: Node, _ transaction: borrowing Transaction) -> Bool {
    guard let service = transaction.service(task.serviceID), !service.isGlobal else { return true }
    let spec = service.hasUnfinishedUpdate ? task.template.spec : service.spec.taskTemplate
    return Constraint.all(in: spec.placement).allSatisfy { $0.matches(node) }
  }

  /// What the tasks looked at so far leave of a node. One that is not described has room for everything.
  private struct Room {
    private var cpus: Int64
    private var memory: Int64
    private var generic: GenericPool
    private let isKnown: Bool

    init(_ capacity: NodeDescription.Capacity?) {
      cpus = capacity?.nanoCPUs ?? 0
      memory = capacity?.memoryBytes ?? 0
      generic = GenericPool(capacity?.genericResources ?? [])
      isKnown = capacity != nil
    }

    mutating func take(_ task: ClusterTask) -> Bool {
      let reservations = task.template.spec.resources?.reservations
      let (wantedCPUs, wantedMemory) = (reservations?.nanoCPUs ?? 0, reservations?.memoryBytes ?? 0)
      guard isKnown, wantedCPUs > 0 || wantedMemory > 0 || !task.genericResources.isEmpty else { return true }
      guard wantedCPUs <= cpus, wantedMemory <= memory, generic.holds(task.genericResources) else { return false }
      cpus -= wantedCPUs
      memory -= wantedMemory
      generic.take(task.genericResources)
      return true
    }
  }
}

extension Service {
  /// Under way, or paused before its end.
  var hasUnfinishedUpdate: Bool {
    switch updateStatus?.state {
    case .updating, .paused, .rollbackStarted, .rollbackPaused: true
    case .completed, .rollbackCompleted, nil: false
    }
  }
}

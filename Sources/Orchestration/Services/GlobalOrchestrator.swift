// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Keeps one task on every node that a global service may run on; of a global job until one has completed there.
enum GlobalOrchestrator {
  static func reconcile(
    _ view: ServiceView, constraints: [Constraint], transaction: inout Transaction, now: Now,
    generator: inout some RandomNumberGenerator
  ) {
    let factory = TaskFactory(view.service, tasks: view.slots.values.joined(), now: now)
    for node in transaction.nodes {
      let slot = SlotID(nodeID: node.id)
      let fits = constraints.allSatisfy { $0.matches(node) }
      if node.losesTasks || !fits {
        for task in view.live(slot) { transaction.stop(task, .shutdown, now: now) }
      } else if node.isSchedulable, !view.isTaken(slot) {
        let isBusy = view.slots[slot]?.contains { $0.state >= .assigned && !$0.state.isTerminal } ?? false
        transaction.put(factory.make(slot, desired: isBusy ? .ready : view.service.goal, generator: &generator))
      }
    }
    for (slot, tasks) in view.sortedSlots where transaction.node(slot.nodeID) == nil {
      for task in tasks { transaction.stop(task, .remove, now: now) }
    }
  }
}

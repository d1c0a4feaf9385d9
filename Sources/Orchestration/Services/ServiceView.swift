// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// A service with its tasks by slot, as one reconciliation sees it.
struct ServiceView {
  let service: Service
  /// Oldest first within a slot; ended tasks included.
  let slots: [SlotID: [ClusterTask]]
  /// The slots in order.
  let sortedSlots: [(id: SlotID, tasks: [ClusterTask])]
  private let writeCount: Int

  init(_ service: Service, _ transaction: borrowing Transaction) {
    self.service = service
    slots = Dictionary(grouping: transaction.tasks(ofService: service.id), by: \.slotID)
    sortedSlots = slots.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    writeCount = transaction.writeCount
  }

  /// The view after what `transaction` has written since.
  func current(_ transaction: borrowing Transaction) -> ServiceView {
    transaction.writeCount == writeCount ? self : ServiceView(service, transaction)
  }

  func live(_ slot: SlotID) -> [ClusterTask] { slots[slot]?.filter(\.isLive) ?? [] }

  /// Slots with a task that is meant to run.
  var liveSlots: [SlotID] { slots.filter { $0.value.contains(where: \.isLive) }.keys.sorted() }

  /// Whether the slot needs no new task from an orchestrator: something is meant to run in it, its last task waits to be replaced, or
  /// it is spent.
  func isTaken(_ slot: SlotID) -> Bool {
    slots[slot]?.contains { $0.intendedState <= .running } == true || isSpent(slot)
  }

  /// Slots whose last task of the current spec ended for good: they are not filled again until the spec changes.
  func isSpent(_ slot: SlotID) -> Bool {
    guard let tasks = slots[slot], !tasks.contains(where: \.isLive), let last = tasks.last else { return false }
    guard last.template.key.specVersion == service.version, last.intendedState == .shutdown, last.state.isTerminal else {
      return false
    }
    return !RestartSupervisor.shouldRestart(last, service: service, slotTasks: tasks)
  }
}

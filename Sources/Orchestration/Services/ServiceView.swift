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
    slots = Dictionary(grouping: transaction.unorderedTasks(ofService: service.id), by: \.slotID).mapValues {
      $0.sortedBySlotAndAge()
    }
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
    counting(slot).contains { $0.intendedState < .shutdown } || isDone(slot) || spent(slot) != nil
  }

  /// A task of the job's present run has completed in the slot.
  func isDone(_ slot: SlotID) -> Bool { service.isJob && counting(slot).contains { $0.state == .complete } }

  /// Tasks that say what the slot needs: those of a job's earlier runs are history.
  private func counting(_ slot: SlotID) -> [ClusterTask] {
    let tasks = slots[slot] ?? []
    return service.isJob ? tasks.filter { $0.jobIteration == service.jobIteration } : tasks
  }

  /// The last task of a slot that its restart policy leaves as it is: only an update fills the slot again. During a rollback no slot
  /// is spent, so that it ends with everything running.
  func spent(_ slot: SlotID) -> ClusterTask? {
    // A job is not rolled back step by step: it begins another run.
    guard service.isJob || service.updateStatus?.state != .rollbackStarted else { return nil }
    let tasks = counting(slot)
    guard !tasks.contains(where: \.isLive), let last = tasks.last, last.intendedState == .shutdown else { return nil }
    return RestartSupervisor.shouldRestart(last, slotTasks: tasks) ? nil : last
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Which slots of a service an update has still to touch, seen from the tasks alone.
struct UpdatePlan {
  /// Slots whose every live task is of an older spec, and those whose last task was and is not restarted, in order.
  private(set) var dirty: [SlotID] = []
  /// Slots whose new task is on its way.
  private(set) var inFlight: [SlotID] = []
  /// Live tasks that a ready newer one replaces.
  private(set) var superseded: [ClusterTask] = []

  var isEmpty: Bool { dirty.isEmpty && inFlight.isEmpty && superseded.isEmpty }

  init(_ view: ServiceView, _ transaction: borrowing Transaction) {
    let started = view.service.updateStatus?.startedAt ?? .zero
    for (slot, tasks) in view.sortedSlots {
      let live = tasks.filter(\.isLive)
      let old = live.filter { task in
        task.template.key.specVersion != view.service.version
          && !task.isUpToDate(with: view.service, on: transaction.node(task.nodeID))
      }
      let new = old.isEmpty ? live : live.filter { !old.contains($0) }
      guard let newest = new.last else {
        if isStale(slot, old, view, transaction) { dirty.append(slot) }
        continue
      }
      superseded += new.dropLast()
      if newest.isReady {
        superseded += old
      } else if !old.isEmpty || newest.createdAt >= started {
        inFlight.append(slot)
      }
    }
    // Without an update under way a slot that is merely starting is nobody's work.
    if !view.service.isUpdating, dirty.isEmpty, superseded.isEmpty { inFlight = [] }
  }

  /// A global service's task on a paused node stays as it is: nothing new may be put there.
  private func isStale(
    _ slot: SlotID, _ old: [ClusterTask], _ view: ServiceView, _ transaction: borrowing Transaction
  ) -> Bool {
    if view.service.isGlobal, transaction.node(slot.nodeID)?.spec.availability != "active" { return false }
    if !old.isEmpty { return true }
    guard let last = view.spent(slot) else { return false }
    return !last.isUpToDate(with: view.service, on: transaction.node(last.nodeID))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Keeps as many slots filled as a replicated service asks for.
enum ReplicatedOrchestrator {
  /// Adds tasks in the lowest unused slots, or removes the slots that keep the rest best balanced.
  static func scale(_ view: ServiceView, transaction: inout Transaction, now: Now, generator: inout some RandomNumberGenerator) {
    let wanted = view.service.replicas
    let taken = view.slots.keys.filter(view.isTaken)
    if taken.count < wanted {
      add(wanted - taken.count, beside: Set(taken), view, &transaction, now, &generator)
    } else if taken.count > wanted {
      remove(victims(view, taken: Set(taken), count: taken.count - wanted), view, &transaction, now)
    }
    removeLeftovers(view, &transaction, now)
  }

  private static func add(
    _ count: Int, beside taken: Set<SlotID>, _ view: ServiceView, _ transaction: inout Transaction, _ now: Now,
    _ generator: inout some RandomNumberGenerator
  ) {
    let factory = TaskFactory(view.service, tasks: view.slots.values.joined(), now: now)
    var missing = count
    var number = 1
    while missing > 0 {
      let slot = SlotID(slot: number)
      number += 1
      if taken.contains(slot) { continue }
      missing -= 1
      // Where a predecessor is still stopping, the new task waits for it.
      let isBusy = view.slots[slot]?.contains { $0.state >= .assigned && !$0.state.isTerminal } ?? false
      transaction.put(factory.make(slot, desired: isBusy ? .ready : .running, generator: &generator))
    }
  }

  private static func remove(_ victims: [SlotID], _ view: ServiceView, _ transaction: inout Transaction, _ now: Now) {
    for slot in victims {
      for task in view.slots[slot] ?? [] { transaction.stop(task, .remove, now: now) }
    }
  }

  /// Slots that scale-down emptied leave no history.
  private static func removeLeftovers(_ view: ServiceView, _ transaction: inout Transaction, _ now: Now) {
    for (slot, tasks) in view.sortedSlots where tasks.contains(where: { $0.intendedState == .remove }) && view.live(slot).isEmpty
    {
      guard slot.slot > view.service.replicas else { continue }
      for task in tasks { transaction.stop(task, .remove, now: now) }
    }
  }

  /// Swarm's order: slots without exactly one assigned task, then those on nodes with the most tasks of the service, not-running before
  /// running, then the higher number.
  static func victims(_ view: ServiceView, taken: Set<SlotID>, count: Int) -> [SlotID] {
    var perNode: [String: Int] = [:]
    var ranked: [(slot: SlotID, unsettled: Bool, index: Int, running: Bool)] = []
    for slot in taken.sorted(by: { rankBefore($0, $1, view) }) {
      let live = view.live(slot)
      let assigned = live.filter { !$0.nodeID.isEmpty }
      let node = assigned.first?.nodeID ?? ""
      ranked.append((slot, assigned.count != 1, perNode[node, default: 0], live.contains { $0.state == .running }))
      perNode[node, default: 0] += 1
    }
    ranked.sort { left, right in
      if left.unsettled != right.unsettled { return left.unsettled }
      if left.index != right.index { return left.index > right.index }
      if left.running != right.running { return !left.running }
      return left.slot > right.slot
    }
    return ranked.prefix(count).map(\.slot)
  }

  /// Within a node, running slots and lower numbers count first, so the others have the higher index.
  private static func rankBefore(_ left: SlotID, _ right: SlotID, _ view: ServiceView) -> Bool {
    let leftRuns = view.live(left).contains { $0.state == .running }
    let rightRuns = view.live(right).contains { $0.state == .running }
    return leftRuns != rightRuns ? leftRuns : left < right
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Runs jobs to their end: every slot of a replicated job until one of its tasks has completed, so many at a time.
///
/// Each update begins another run. What the one before has not finished stops first and counts until it has: so at no time does more run
/// than may, and no slot runs twice. What restarts is the restart supervisor's, and a global job's nodes are `GlobalOrchestrator`'s.
enum JobOrchestrator {
  /// Ends what is left of earlier runs, and what runs in a slot that is done: its node was given up for lost, and had completed it.
  static func tidy(_ view: ServiceView, transaction: inout Transaction, now: Now) {
    for (slot, tasks) in view.sortedSlots {
      let isDone = view.isDone(slot)
      for task in tasks {
        if task.jobIteration != view.service.jobIteration {
          endEarlier(task, view, &transaction, now)
        } else if isDone, task.isLive {
          transaction.stop(task, .shutdown, now: now)
        }
      }
    }
  }

  /// As in swarm, what had ended stays as history, but for global jobs.
  private static func endEarlier(_ task: ClusterTask, _ view: ServiceView, _ transaction: inout Transaction, _ now: Now) {
    if view.service.isGlobal || !task.state.isTerminal {
      transaction.stop(task, .remove, now: now)
    } else if task.state != .complete {
      transaction.stop(task, .shutdown, now: now)
    }
  }

  /// Begins the lowest slots of a replicated job that nothing has been begun in, as many as may run beside what does.
  static func fill(_ view: ServiceView, transaction: inout Transaction, now: Now, generator: inout some RandomNumberGenerator) {
    guard let job = view.service.spec.mode.replicatedJob else { return }
    let room = Int(clamping: job.maxConcurrent ?? 0) - unfinished(view, transaction)
    guard room > 0 else { return }
    let all = (0..<Int(clamping: job.totalCompletions ?? 0)).lazy.map { SlotID(slot: $0 + 1) }
    let open = Array(all.filter { !view.isTaken($0) }.prefix(room))
    guard !open.isEmpty else { return }
    let factory = TaskFactory(view.service, tasks: view.slots.values.joined(), now: now)
    for slot in open {
      let isBusy = view.slots[slot]?.contains { $0.state >= .assigned && !$0.state.isTerminal } ?? false
      transaction.put(factory.make(slot, desired: isBusy ? .ready : .complete, generator: &generator))
    }
  }

  /// Tasks of any run that are to run, or may still do so.
  private static func unfinished(_ view: ServiceView, _ transaction: borrowing Transaction) -> Int {
    var count = 0
    for (_, tasks) in view.sortedSlots {
      for task in tasks where task.isLive || task.isStopping(transaction) { count += 1 }
    }
    return count
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Deletes tasks that nobody needs any more: removed ones once they have ended, and history beyond the limit.
///
/// Deleting a task is what makes its node delete the container.
enum TaskReaper {
  static func reap(_ tasks: [ClusterTask], service: Service?, historyLimit: Int64, transaction: inout Transaction) -> [String] {
    guard tasks.contains(where: { $0.desiredState > .running }) else { return [] }
    var deleted = tasks.filter { $0.desiredState == .remove && ($0.state < .assigned || $0.state.isTerminal) }
    let removed = Set(deleted.map(\.id))
    if let service, let limit = limit(service, historyLimit) {
      for (_, slotTasks) in Dictionary(grouping: tasks.filter { !removed.contains($0.id) }, by: \.slotID) {
        // Where nothing lives, the last task is what says whether the slot is to be filled again.
        let last = slotTasks.contains(where: \.isLive) ? nil : slotTasks.max(by: ClusterTask.bySlotAndAge)?.id
        let ended = slotTasks.filter {
          $0.id != last && !$0.isResult(of: service) && $0.desiredState > .running
            && ($0.state.isTerminal || $0.state < .assigned && $0.desiredState >= .shutdown)
        }
        let kept = slotTasks.count - ended.count
        let excess = ended.count - max(0, limit - kept)
        deleted += ended.sorted(by: ClusterTask.bySlotAndAge).prefix(max(0, excess))
      }
    }
    let ids = deleted.map(\.id).sorted()
    for id in ids { transaction.removeTask(id) }
    return ids
  }

  /// Tasks kept per slot, live ones included; `nil` keeps all. Attempts are counted from history, so `MaxAttempts` overrides.
  private static func limit(_ service: Service, _ historyLimit: Int64) -> Int? {
    if let attempts = service.spec.taskTemplate.restartPolicy?.maxAttempts, attempts > 0 {
      return min(Int(clamping: attempts), .max - 1) + 1
    }
    return historyLimit < 0 ? nil : Int(clamping: historyLimit)
  }
}

extension ClusterTask {
  /// What says that a slot of the job's present run is done.
  fileprivate func isResult(of service: Service) -> Bool {
    state == .complete && service.isJob && jobIteration == service.jobIteration
  }
}

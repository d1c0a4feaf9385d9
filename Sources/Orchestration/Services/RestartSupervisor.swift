// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Decides whether an ended task is replaced, and when its replacement may start.
///
/// The replacement is made at once with desired state `ready`, so that its image and container are prepared during the delay; attempts
/// are counted from the tasks kept in the store, so a new leader counts the same.
struct RestartSupervisor {
  /// Swarm's default between the end of a task and the start of its replacement.
  static let defaultDelay = Duration.seconds(5)

  /// Earliest starts of replacements, by task id, by the monotonic clock.
  private var heldUntil: [String: Duration] = [:]

  /// By the policy that the task itself was made with, as swarm does.
  static func shouldRestart(_ task: ClusterTask, slotTasks: [ClusterTask]) -> Bool {
    let policy = task.restartPolicy
    switch policy.condition {
    case "none": return false
    case "on-failure" where task.state == .complete: return false
    case _ where task.jobIteration != nil && task.state == .complete: return false
    default: break
    }
    guard let limit = policy.maxAttempts, limit > 0 else { return true }
    return attempts(in: slotTasks, before: task, policy: policy) < Int(clamping: limit)
  }

  /// Replacements made in this slot for the spec version of `task`, those within the policy's window if it has one. As in swarm,
  /// what seems to lie in the future, because the clock was set back, does not count.
  private static func attempts(in tasks: [ClusterTask], before task: ClusterTask, policy: RestartPolicy) -> Int {
    let sameSpec = tasks.filter { $0.template.key == task.template.key }
    guard let window = policy.window, window > 0 else { return sameSpec.dropFirst().count }
    let end = task.status.timestamp
    // A replacement is made when the task before it ends.
    return sameSpec.count { $0.id != task.id && (end + .nanoseconds(-window)...end).contains($0.status.timestamp) }
  }

  /// Ends `task` for good and puts a replacement into its slot if the policy wants one. Tasks of lost nodes wait for nothing: the
  /// delay protects against crash loops, not against dead hosts.
  mutating func replace(
    _ task: ClusterTask, in view: ServiceView, lostNode: Bool, transaction: inout Transaction, now: Now,
    generator: inout some RandomNumberGenerator
  ) -> Duration? {
    if !lostNode, task.desiredState == .ready, let start = heldUntil[task.id], start > now.uptime { return start }
    transaction.stop(task, .shutdown, now: now)
    let slot = task.slotID
    let tasks = view.slots[slot] ?? []
    guard Self.shouldRestart(task, slotTasks: tasks) else { return nil }
    // In a start-first update the task that is to go serves until its successor can, so it is no substitute for one that failed.
    let substitutes = tasks.filter {
      $0.id != task.id && $0.isLive && $0.isUpToDate(with: view.service, on: transaction.node($0.nodeID))
    }
    guard substitutes.isEmpty, !(lostNode && view.service.isGlobal) else { return nil }
    let factory = TaskFactory(view.service, tasks: tasks, now: now)
    let replacement = factory.make(slot, desired: .ready, generator: &generator)
    if !lostNode { heldUntil[replacement.id] = now.uptime + Self.delay(after: task) }
    transaction.put(replacement)
    return nil
  }

  /// Starts what has waited long enough: the delay is over, and nothing older in the slot still runs, so no slot ever runs twice
  /// but in a start-first update. Returns when to look again.
  mutating func startWaiting(in view: ServiceView, transaction: inout Transaction, now: Now) -> Duration? {
    var next: Duration?
    for (_, tasks) in view.sortedSlots {
      for task in tasks where task.desiredState == .ready && task.isLive {
        let start = hold(of: task, among: tasks, now: now)
        guard start <= now.uptime else {
          next = min(next ?? start, start)
          continue
        }
        guard !tasks.contains(where: { $0.id != task.id && $0.isStopping(transaction) }) else { continue }
        heldUntil[task.id] = nil
        var started = task
        started.desiredState = view.service.goal
        started.updatedAt = now.wall
        transaction.put(started)
      }
    }
    return next
  }

  /// Without a memory of the decision, after a change of leader, the delay is counted from the replacement's creation.
  private mutating func hold(of task: ClusterTask, among tasks: [ClusterTask], now: Now) -> Duration {
    if let known = heldUntil[task.id] { return known }
    let failed = tasks.contains {
      $0.createdAt <= task.createdAt && $0.id != task.id && $0.endedByItself && $0.jobIteration == task.jobIteration
    }
    let delay = Self.delay(after: task)
    let rest = failed ? min(max(delay - (now.wall - task.createdAt), .zero), delay) : .zero
    heldUntil[task.id] = now.uptime + rest
    return now.uptime + rest
  }

  mutating func forget(_ taskIDs: some Sequence<String>) { for id in taskIDs { heldUntil[id] = nil } }

  private static func delay(after task: ClusterTask) -> Duration {
    task.restartPolicy.delay.map { .nanoseconds($0) } ?? defaultDelay
  }
}

extension ClusterTask {
  fileprivate var endedByItself: Bool { state == .complete || state == .failed || state == .rejected }

  /// Meant to stop, but its container may still be up: it was given to a node that is still there, and has not ended.
  func isStopping(_ transaction: borrowing Transaction) -> Bool {
    guard intendedState >= .shutdown, state >= .assigned, !state.isTerminal else { return false }
    guard let node = transaction.node(nodeID) else { return false }
    return node.status.state != .down
  }
}

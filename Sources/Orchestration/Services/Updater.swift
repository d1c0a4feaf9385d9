// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Replaces tasks of an older spec, a few slots at a time, and watches the new ones.
///
/// Follows swarm, with three deliberate differences: a slot is done when its new task is ready for traffic, not when it merely runs; an
/// old task stops through the drain barrier; with stop-first, old and new never overlap. What must survive a change of leader is in the
/// store; pauses and monitor windows begin again.
struct Updater {
  /// One update of one service.
  fileprivate struct Run {
    let specVersion: UInt64
    /// Slots to update when the update began: what the failure ratio counts against.
    let total: Int
    /// The task that this update made for a slot: each slot has its turn once, whatever becomes of it.
    var made: [SlotID: String] = [:]
    /// Those tasks, and since when each is ready.
    var watched: [String: Duration?] = [:]
    var failed: Set<String> = []
    /// When the pauses of workers that have finished a slot end.
    var pauses: [Duration] = []
    var monitorEnd: Duration?

    /// Something is left to do. A slot whose task has ended is the restart supervisor's.
    func isOpen(_ plan: UpdatePlan, _ view: ServiceView) -> Bool {
      !turns(plan).isEmpty || !inFlight(plan, view).isEmpty || !plan.superseded.isEmpty
    }

    func turns(_ plan: UpdatePlan) -> [SlotID] { plan.dirty.filter { made[$0] == nil } }

    func inFlight(_ plan: UpdatePlan, _ view: ServiceView) -> [SlotID] {
      plan.inFlight.filter { slot in
        guard let id = made[slot] else { return true }
        return view.live(slot).contains { $0.id == id }
      }
    }
  }

  static let defaultMonitor = Duration.seconds(5)
  private static let progress = "update in progress"

  private var runs: [String: Run] = [:]

  mutating func forget(_ serviceID: String) { runs[serviceID] = nil }

  /// Takes the update one step further. Returns when to look again even if nothing changes.
  mutating func advance(
    _ view: ServiceView, transaction: inout Transaction, now: Now, generator: inout some RandomNumberGenerator
  ) -> Duration? {
    let service = view.service
    let plan = UpdatePlan(view, transaction)
    if service.updateStatus?.state == .paused || service.updateStatus?.state == .rollbackPaused {
      // What the restart supervisor brings up after all still takes its predecessor's place.
      finishSlots(plan, &transaction, now)
      return nil
    }
    guard var run = begin(view, plan, &transaction, now) else { return nil }
    defer { runs[service.id] = run }
    let config = service.activeUpdateConfig
    if let failure = noteProgress(of: view, in: &run, config: config, now: now) {
      guard act(on: failure, run: run, config: config, service: service, &transaction, now) else { return nil }
    }
    finishSlots(plan, &transaction, now)
    startSlots(plan, view, &run, config, &transaction, now, &generator)
    explain(run.inFlight(plan, view), view, &transaction, now)
    return finish(plan, view, &run, config, &transaction, now)
  }

  /// The run under way, a new one for a new spec or a new leader, or none when nothing is to be updated. A run is kept when it is
  /// over, so that what it could not update is not tried again for ever.
  private mutating func begin(_ view: ServiceView, _ plan: UpdatePlan, _ transaction: inout Transaction, _ now: Now) -> Run? {
    let service = view.service
    if let run = runs[service.id], run.specVersion == service.version {
      return service.isUpdating || run.isOpen(plan, view) ? run : nil
    }
    runs[service.id] = nil
    guard !plan.isEmpty else {
      transaction.completeUpdate(of: service.id, now)
      return nil
    }
    if service.updateStatus == nil { transaction.setUpdateStatus(of: service.id, .updating, Self.progress, now) }
    return Run(specVersion: service.version, total: max(plan.dirty.count + plan.inFlight.count, 1))
  }

  /// Notes which watched tasks have become ready or ended. Returns the first that failed and was not counted before.
  private func noteProgress(of view: ServiceView, in run: inout Run, config: UpdateConfig, now: Now) -> ClusterTask? {
    var failure: ClusterTask?
    for task in Array(view.slots.values.joined()).sortedBySlotAndAge() {
      guard let readySince = run.watched[task.id] else { continue }
      if task.isReady, readySince == nil {
        run.watched[task.id] = .some(now.uptime)
        run.pause(config, now)
      } else if task.state.isTerminal, task.intendedState <= .shutdown, !run.failed.contains(task.id) {
        let isEarly = readySince.map { now.uptime - $0 < config.monitorDuration } ?? true
        guard isEarly, task.state != .shutdown else { continue }
        run.failed.insert(task.id)
        if readySince == nil { run.pause(config, now) }
        failure = failure ?? task
      }
    }
    return failure
  }

  /// Carries out the failure action if too many have failed. Returns whether the update goes on.
  private func act(
    on task: ClusterTask, run: Run, config: UpdateConfig, service: Service, _ transaction: inout Transaction, _ now: Now
  ) -> Bool {
    guard Float(run.failed.count) / Float(run.total) > config.maxFailureRatio else { return true }
    let reason = "due to failure or early termination of task \(task.id)"
    let isRollback = service.updateStatus?.state == .rollbackStarted
    switch config.failureAction {
    case "continue": return true
    case "rollback" where !isRollback && service.previousSpec != nil:
      transaction.rollBack(service.id, "update rolled back \(reason)", now)
    default:
      let state: Service.UpdateStatus.State = isRollback ? .rollbackPaused : .paused
      transaction.setUpdateStatus(of: service.id, state, "\(isRollback ? "rollback" : "update") paused \(reason)", now)
    }
    return false
  }

  /// Stops what is superseded: old tasks beside a ready new one, and more than one new task in a slot.
  private func finishSlots(_ plan: UpdatePlan, _ transaction: inout Transaction, _ now: Now) {
    for task in plan.superseded { transaction.stop(task, .shutdown, now: now) }
  }

  private func startSlots(
    _ plan: UpdatePlan, _ view: ServiceView, _ run: inout Run, _ config: UpdateConfig, _ transaction: inout Transaction,
    _ now: Now,
    _ generator: inout some RandomNumberGenerator
  ) {
    run.pauses.removeAll { $0 <= now.uptime }
    let workers = config.parallelism == 0 ? Int.max : Int(clamping: config.parallelism)
    let free = max(0, workers - run.inFlight(plan, view).count - run.pauses.count)
    let factory = TaskFactory(view.service, tasks: view.slots.values.joined(), now: now)
    for slot in run.turns(plan).prefix(free) {
      let replaced = config.order == "start-first" ? Self.allButKeeper(view.live(slot)) : view.live(slot)
      for task in replaced { transaction.stop(task, .shutdown, now: now) }
      // Waits for what is stopping in the slot, with either order: so at most one old and one new run at a time.
      let isFree =
        replaced.isEmpty && !(view.slots[slot] ?? []).contains { !$0.isLive && !$0.state.isTerminal && $0.state >= .assigned }
      let task = factory.make(slot, desired: isFree ? .running : .ready, generator: &generator)
      run.watched[task.id] = .some(nil)
      run.made[slot] = task.id
      run.monitorEnd = nil
      transaction.put(task)
    }
  }

  /// Swarm leaves it to the user to find out why nothing moves: here the status says what keeps new tasks from being placed.
  private func explain(_ inFlight: [SlotID], _ view: ServiceView, _ transaction: inout Transaction, _ now: Now) {
    guard let status = transaction.service(view.service.id)?.updateStatus, status.state == .updating else { return }
    let waiting = inFlight.lazy.flatMap(view.live).filter { $0.state < .assigned && !$0.status.err.isEmpty }
    let message = [Self.progress, waiting.map(\.status.err).min()].compactMap { $0 }.joined(separator: ": ")
    if message != status.message { transaction.setUpdateStatus(of: view.service.id, .updating, message, now) }
  }

  /// With start-first one old task serves until the new one can; others of a superseded update need not.
  private static func allButKeeper(_ live: [ClusterTask]) -> [ClusterTask] {
    let keeper = live.first(where: \.isReady) ?? live.first
    return live.filter { $0.id != keeper?.id }
  }

  /// Ends the update once everything is replaced and the monitor time is over.
  private func finish(
    _ plan: UpdatePlan, _ view: ServiceView, _ run: inout Run, _ config: UpdateConfig, _ transaction: inout Transaction,
    _ now: Now
  ) -> Duration? {
    guard run.pauses.isEmpty, !run.isOpen(plan, view) else { return run.pauses.min() }
    let end = run.monitorEnd ?? now.uptime + config.watchDuration
    run.monitorEnd = end
    guard end <= now.uptime else { return end }
    transaction.completeUpdate(of: view.service.id, now)
    return nil
  }
}

extension Updater.Run {
  /// The worker of a slot that is done rests.
  fileprivate mutating func pause(_ config: UpdateConfig, _ now: Now) {
    if let delay = config.delay, delay > 0 { pauses.append(now.uptime + .nanoseconds(delay)) }
  }
}

extension ClusterTask {
  /// Runs and is fit for traffic.
  var isReady: Bool { state == .running && status.isReady }
}

extension UpdateConfig {
  var monitorDuration: Duration {
    monitor.flatMap { $0 > 0 ? .nanoseconds($0) : nil } ?? Updater.defaultMonitor
  }

  /// How long tasks are watched after the last was made: longer than the delay, or its pause would hide their failures.
  var watchDuration: Duration {
    let pause = Duration.nanoseconds(delay ?? 0)
    return pause >= monitorDuration ? pause + .seconds(1) : monitorDuration
  }
}

extension Service {
  var isUpdating: Bool { updateStatus?.state == .updating || updateStatus?.state == .rollbackStarted }

  /// The configuration that governs what is under way: a rollback has its own.
  var activeUpdateConfig: UpdateConfig {
    let isRollback = updateStatus?.state == .rollbackStarted
    return (isRollback ? spec.rollbackConfig : spec.updateConfig) ?? UpdateConfig(parallelism: 1)
  }
}

extension Transaction {
  fileprivate mutating func setUpdateStatus(of id: String, _ state: Service.UpdateStatus.State, _ message: String, _ now: Now) {
    guard var service = service(id) else { return }
    let isEnd = state == .completed || state == .rollbackCompleted
    service.updateStatus = .init(
      state: state, startedAt: service.updateStatus?.startedAt ?? now.wall, completedAt: isEnd ? now.wall : nil, message: message)
    put(service)
  }

  fileprivate mutating func completeUpdate(of id: String, _ now: Now) {
    switch service(id)?.updateStatus?.state {
    case .updating: setUpdateStatus(of: id, .completed, "update completed", now)
    case .rollbackStarted: setUpdateStatus(of: id, .rollbackCompleted, "rollback completed", now)
    default: break
    }
  }

  /// Swarm's automatic rollback: the previous spec becomes the spec, and there is no previous one any more.
  fileprivate mutating func rollBack(_ id: String, _ message: String, _ now: Now) {
    guard var service = service(id), let previous = service.previousSpec else { return }
    service.spec = previous
    service.previousSpec = nil
    service.updatedAt = now.wall
    service.updateStatus = .init(
      state: .rollbackStarted, startedAt: service.updateStatus?.startedAt ?? now.wall, message: message)
    put(service)
  }
}

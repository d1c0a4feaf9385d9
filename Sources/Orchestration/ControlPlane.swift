// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Every decision of a leader as one value: what has changed and the time go in, writes and the next moment to look come out.
///
/// Level-triggered: each step brings the services it is given nearer to what their specs ask for, from whatever state they are in. All
/// that must survive a change of leader is in the store; a new leader starts with a new value and a step over everything.
package struct ControlPlane<Generator: RandomNumberGenerator & Sendable>: Sendable {
  private var supervisor = RestartSupervisor()
  private var updater = Updater()
  private var scheduler = Scheduler()
  private var director = TrafficDirector()
  private var orphans = OrphanWatch()
  private var generator: Generator
  private var timers: [String: Duration] = [:]

  package init(generator: Generator) { self.generator = generator }

  /// A node's answer to the drain barrier. True when it is to be followed by a step.
  package mutating func note(nodeID: String, generation: UInt64, openConnections: [String: Int]) -> Bool {
    director.note(nodeID: nodeID, generation: generation, openConnections: openConnections)
  }

  /// What an operator should know of the steps since the last call.
  package mutating func takeWarnings() -> [String] { director.takeWarnings() }

  /// One step. `dirty` is what changed since the last, `nil` everything. Returns the uptime by which the next step is due even if
  /// nothing changes.
  package mutating func step(_ dirty: DirtySet?, transaction: inout Transaction, now: Now) -> Duration? {
    guard let cluster = transaction.cluster else { return nil }
    RootRotator.finish(cluster, in: &transaction, now: now, generator: &generator)
    Allocator.allocateIngressSubnets(in: &transaction)
    evict(dirty, &transaction, now)
    let orphanTimer = orphans.advance(dirty, &transaction, now)
    let serviceIDs = affected(by: dirty, transaction, now)
    for id in serviceIDs.sorted() { timers[id] = reconcile(id, &transaction, now) }
    // What a node has room for depends on nothing but nodes and their tasks.
    scheduler.forget(dirty?.nodeIDs)
    scheduler.schedule(serviceIDs, retriesUnplaced: dirty?.nodeIDs.isEmpty != true, transaction: &transaction, now: now)
    let drainTimer = finish(serviceIDs, cluster, &transaction, now)
    return [timers.values.min(), drainTimer, orphanTimer].compactMap { $0 }.min()
  }

  /// Ends drains whose time has come, and deletes what nobody needs any more.
  private mutating func finish(_ serviceIDs: Set<String>, _ cluster: Cluster, _ transaction: inout Transaction, _ now: Now)
    -> Duration?
  {
    let tasks = serviceIDs.sorted().map { (id: $0, tasks: transaction.unorderedTasks(ofService: $0)) }
    let written = transaction.writeCount
    let timer = director.advance(tasks.lazy.flatMap(\.tasks), transaction: &transaction, now: now)
    let isCurrent = transaction.writeCount == written
    let limit = cluster.spec.orchestration.taskHistoryRetentionLimit ?? 0
    for (id, tasks) in tasks {
      let gone = TaskReaper.reap(
        isCurrent ? tasks : transaction.unorderedTasks(ofService: id), service: transaction.service(id), historyLimit: limit,
        transaction: &transaction)
      supervisor.forget(gone)
    }
    return timer
  }

  /// Services whose decisions may differ now. A changed node may concern any of them.
  private func affected(by dirty: DirtySet?, _ transaction: borrowing Transaction, _ now: Now) -> Set<String> {
    guard let dirty, dirty.changedNodeIDs.isEmpty, !dirty.cluster else { return Set(transaction.knownServiceIDs) }
    return dirty.serviceIDs.union(timers.filter { $0.value <= now.uptime }.keys)
  }

  /// Marks what changed nodes may no longer run; the restart supervisor then treats it like any other end.
  private func evict(_ dirty: DirtySet?, _ transaction: inout Transaction, _ now: Now) {
    let nodes = dirty.map { $0.changedNodeIDs.sorted().compactMap(transaction.node) } ?? transaction.nodes
    for node in nodes {
      for var task in ConstraintEnforcer.evictions(from: node, transaction) {
        task.isEvicted = true
        task.updatedAt = now.wall
        transaction.put(task)
      }
    }
  }

  private mutating func reconcile(_ id: String, _ transaction: inout Transaction, _ now: Now) -> Duration? {
    guard let service = transaction.service(id) else {
      for task in transaction.tasks(ofService: id) { transaction.stop(task, .remove, now: now) }
      updater.forget(id)
      return nil
    }
    guard let service = Allocator.allocate(service, in: &transaction) else { return nil }
    let found = ServiceView(service, transaction)
    if service.isJob { JobOrchestrator.tidy(found, transaction: &transaction, now: now) }
    let view = found.current(transaction)
    let replaceTimer = replaceEnded(view, &transaction, now)
    let replaced = view.current(transaction)
    keepCount(replaced, &transaction, now)
    let counted = replaced.current(transaction)
    let updateTimer =
      service.isJob ? nil : updater.advance(counted, transaction: &transaction, now: now, generator: &generator)
    let startTimer = supervisor.startWaiting(in: counted.current(transaction), transaction: &transaction, now: now)
    return [replaceTimer, updateTimer, startTimer].compactMap { $0 }.min()
  }

  /// Hands tasks that ended, or that their node loses, to the restart supervisor.
  private mutating func replaceEnded(_ view: ServiceView, _ transaction: inout Transaction, _ now: Now) -> Duration? {
    var next: Duration?
    var losing: [String: Bool] = ["": false]
    for task in view.sortedSlots.lazy.flatMap(\.tasks) where task.intendedState < .shutdown {
      if view.service.isJob, task.state == .complete { continue }
      let isLost = losing[task.nodeID] ?? transaction.node(task.nodeID).map(\.losesTasks) ?? true
      losing[task.nodeID] = isLost
      guard task.state.isTerminal || isLost || task.isEvicted else { continue }
      let retry = supervisor.replace(
        task, in: view, lostNode: isLost && !task.state.isTerminal, transaction: &transaction, now: now, generator: &generator)
      next = [next, retry].compactMap { $0 }.min()
    }
    return next
  }

  private mutating func keepCount(_ view: ServiceView, _ transaction: inout Transaction, _ now: Now) {
    if view.service.isGlobal {
      GlobalOrchestrator.reconcile(
        view, constraints: Constraint.all(in: view.service.spec.taskTemplate.placement), transaction: &transaction, now: now,
        generator: &generator)
    } else if view.service.isJob {
      JobOrchestrator.fill(view, transaction: &transaction, now: now, generator: &generator)
    } else {
      ReplicatedOrchestrator.scale(view, transaction: &transaction, now: now, generator: &generator)
    }
  }
}

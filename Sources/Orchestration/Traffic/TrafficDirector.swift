// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// The drain barrier: a task that serves traffic is told to stop only when no balancer sends it new connections, and when its open ones
/// have ended or had their time.
///
/// A drain begins with the commit that marks it. Every ready node must acknowledge an endpoint table at least as new, or the barrier's
/// time is over; then open connections are waited for, unless the service itself is gone.
struct TrafficDirector {
  /// How long a node that does not acknowledge can hold a stop up.
  static let barrierTimeout = Duration.seconds(5)

  private struct Progress {
    /// The first committed version that the drain was seen in; tables are numbered by versions.
    let generation: UInt64
    let began: Duration
    var passedBarrier: Duration?
  }

  private struct NodeReport {
    var generation: UInt64
    var openConnections: [String: Int]
  }

  /// Stops that went on without every node's acknowledgement, for the log; taken by the shell.
  private(set) var warnings: [String] = []
  private var drains: [String: Progress] = [:]
  private var reports: [String: NodeReport] = [:]

  /// A node has applied the table of `generation`, and has these connections open to draining endpoints. Whether a drain waits for it.
  mutating func note(nodeID: String, generation: UInt64, openConnections: [String: Int]) -> Bool {
    reports[nodeID] = NodeReport(generation: generation, openConnections: openConnections)
    return !drains.isEmpty
  }

  /// Takes up new drains of `tasks` and ends those whose time has come. Returns when to look again.
  mutating func advance(_ tasks: some Sequence<ClusterTask>, transaction: inout Transaction, now: Now) -> Duration? {
    for task in tasks where task.drain != nil && drains[task.id] == nil {
      // Marked in this very transaction: the step after its commit takes it up, when the version is known.
      guard transaction.committedTask(task.id)?.drain != nil else { continue }
      drains[task.id] = Progress(generation: transaction.baseVersion, began: now.uptime)
    }
    var next: Duration?
    for id in drains.keys.sorted() {
      guard let task = transaction.task(id), let drain = task.drain else {
        drains[id] = nil
        continue
      }
      switch verdict(on: task, transaction, now) {
      case .over:
        drains[id] = nil
        transaction.end(task, drain, now: now)
      case .waitUntil(let moment): next = min(next ?? moment, moment)
      }
    }
    return next
  }

  private enum Verdict { case over, waitUntil(Duration) }

  private mutating func verdict(on task: ClusterTask, _ transaction: borrowing Transaction, _ now: Now) -> Verdict {
    guard var progress = drains[task.id], task.state == .running, transaction.isUp(task.nodeID) else { return .over }
    let nodes = transaction.nodes.filter { $0.status.state == .ready }
    if progress.passedBarrier == nil {
      let isAcknowledged = nodes.allSatisfy { (reports[$0.id]?.generation ?? 0) >= progress.generation }
      let deadline = progress.began + Self.barrierTimeout
      guard isAcknowledged || now.uptime >= deadline else { return .waitUntil(deadline) }
      if !isAcknowledged { warn(of: task, progress, nodes) }
      progress.passedBarrier = now.uptime
      drains[task.id] = progress
    }
    guard let service = transaction.service(task.serviceID), let passed = progress.passedBarrier else { return .over }
    let open = nodes.reduce(0) { $0 + (reports[$1.id]?.openConnections[task.id] ?? 0) }
    let deadline = passed + service.drainTimeout
    return open == 0 || now.uptime >= deadline ? .over : .waitUntil(deadline)
  }
}

extension TrafficDirector {
  private mutating func warn(of task: ClusterTask, _ progress: Progress, _ nodes: [Node]) {
    let silent = nodes.map(\.id).filter { (reports[$0]?.generation ?? 0) < progress.generation }
    warnings.append(
      "\(task.name) is stopped although these nodes may still send it connections: \(silent.joined(separator: ", "))")
  }

  mutating func takeWarnings() -> [String] {
    defer { warnings = [] }
    return warnings
  }
}

extension Transaction {
  fileprivate func isUp(_ nodeID: String) -> Bool { node(nodeID).map { $0.status.state != .down } ?? false }

  fileprivate mutating func end(_ task: ClusterTask, _ drain: ClusterTask.Drain, now: Now) {
    var task = task
    task.desiredState = max(task.desiredState, drain.desiredState)
    task.drain = nil
    task.updatedAt = now.wall
    put(task)
  }
}

extension Service {
  var drainTimeout: Duration { Labels.drainTimeout(in: spec.labels) }
}

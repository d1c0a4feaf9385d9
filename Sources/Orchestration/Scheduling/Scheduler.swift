// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Gives waiting tasks a node: swarm's filters, then its order of those that pass.
///
/// Tasks of one template are placed together: nodes are filtered once for all of them, and the best is found in a heap. What nodes have
/// left is remembered from step to step, so that a step costs what has changed and what waits, not what runs.
struct Scheduler {
  /// Services with tasks that no node could take, to be tried again when a node or what is on it changes.
  private(set) var unplaced: Set<String> = []
  /// Services whose first tasks wait for other services, whatever nodes there are.
  private var held: Set<String> = []
  private var known: [String: NodeInfo] = [:]
  /// Nodes of which something else may be true by now.
  private var stale: Set<String> = []
  private var knowsAll = false

  /// What is known of these nodes is not true any more; `nil` is all of them.
  mutating func forget(_ nodeIDs: Set<String>?) {
    if let nodeIDs { stale.formUnion(nodeIDs) } else { knowsAll = false }
  }

  /// Places what waits in `serviceIDs` and, when nodes may have room that they had not, in those that could not be placed before.
  mutating func schedule(_ serviceIDs: Set<String>, retriesUnplaced: Bool, transaction: inout Transaction, now: Now) {
    let candidates = (retriesUnplaced ? serviceIDs.union(unplaced) : serviceIDs).union(held)
    unplaced.subtract(candidates)
    held = []
    var waiting = candidates.sorted().map { id in
      (id, transaction.unorderedTasks(ofService: id).filter(Self.isWaiting).sortedBySlotAndAge())
    }.filter { !$0.1.isEmpty }
    waiting.removeAll { hold($0.0, $0.1, &transaction, now) }
    guard !waiting.isEmpty else { return }
    learn(transaction)
    var placer = TaskPlacer(known.values.sorted { $0.node.id < $1.node.id }, now: now)
    known = [:]
    for (id, tasks) in waiting where !placer.place(tasks, in: &transaction) { unplaced.insert(id) }
    for info in placer.nodes { known[info.node.id] = info }
  }

  /// Whether these wait for another service; they are told which.
  private mutating func hold(_ id: String, _ tasks: [ClusterTask], _ transaction: inout Transaction, _ now: Now) -> Bool {
    guard let obstacle = StartOrder.obstacle(id, transaction) else { return false }
    for task in tasks { TaskPlacer.note(obstacle, on: task, &transaction, now) }
    held.insert(id)
    return true
  }

  private static func isWaiting(_ task: ClusterTask) -> Bool { task.state == .pending && task.isLive }

  /// What this transaction has written counts too, and is looked at again in the next one, which may differ.
  private mutating func learn(_ transaction: borrowing Transaction) {
    let written = transaction.writtenNodeIDs
    if knowsAll {
      for id in stale.union(written) { known[id] = transaction.node(id).map { Self.info($0, transaction) } }
    } else {
      known = [:]
      for node in transaction.nodes { known[node.id] = Self.info(node, transaction) }
    }
    (stale, knowsAll) = (written, true)
  }

  private static func info(_ node: Node, _ transaction: borrowing Transaction) -> NodeInfo {
    NodeInfo(node, tasks: transaction.unorderedTasks(onNode: node.id))
  }
}

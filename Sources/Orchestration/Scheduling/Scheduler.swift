// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Gives waiting tasks a node: swarm's filters, then the fewest tasks of the service, then the fewest tasks at all.
struct Scheduler {
  /// Services with tasks that no node could take, to be tried again when a node or what is on it changes.
  private(set) var unplaced: Set<String> = []

  /// Places what waits in `serviceIDs` and, when nodes may have room that they had not, in those that could not be placed before.
  mutating func schedule(_ serviceIDs: Set<String>, retriesUnplaced: Bool, transaction: inout Transaction, now: Now) {
    let candidates = retriesUnplaced ? serviceIDs.union(unplaced) : serviceIDs
    unplaced.subtract(candidates)
    let waiting = candidates.sorted().map { id in
      (id, transaction.unorderedTasks(ofService: id).filter(Self.isWaiting).sorted(by: ClusterTask.bySlotAndAge))
    }.filter { !$0.1.isEmpty }
    guard !waiting.isEmpty else { return }
    var nodes = transaction.nodes.map { NodeInfo($0, tasks: transaction.unorderedTasks(onNode: $0.id), now: now) }
    for (id, tasks) in waiting {
      for task in tasks where !place(task, on: &nodes, &transaction, now) { unplaced.insert(id) }
    }
  }

  private static func isWaiting(_ task: ClusterTask) -> Bool { task.state == .pending && task.isLive }

  private func place(_ task: ClusterTask, on nodes: inout [NodeInfo], _ transaction: inout Transaction, _ now: Now) -> Bool {
    let constraints = Constraint.all(in: task.template.spec.placement)
    var refusals: [Filter: Int] = [:]
    var best: Int?
    let spread = Ranking(task.template.spec.placement, serviceID: task.serviceID, nodes: nodes)
    let isPreassigned = !task.nodeID.isEmpty
    for (index, info) in nodes.enumerated() where !isPreassigned || info.node.id == task.nodeID {
      if let refusal = Filter.allCases.first(where: { !$0.passes(info, task, constraints) }) {
        refusals[refusal, default: 0] += 1
      } else if best.map({ spread.isBetter(info, than: nodes[$0], for: task) }) ?? true {
        best = index
      }
    }
    guard let best else {
      Self.note(Self.explain(refusals, isPreassigned: isPreassigned), on: task, &transaction, now)
      return false
    }
    let assigned = Self.assign(task, to: nodes[best], now: now)
    transaction.put(assigned)
    nodes[best].add(assigned, now: now)
    return true
  }

  private static func assign(_ task: ClusterTask, to info: NodeInfo, now: Now) -> ClusterTask {
    var task = task
    let message = task.nodeID.isEmpty ? "scheduler assigned task to node" : "scheduler confirmed task can run on preassigned node"
    task.nodeID = info.node.id
    task.status = TaskStatus(state: .assigned, timestamp: now.wall, message: message)
    task.updatedAt = now.wall
    task.genericResources = info.generic.claim(task.template.spec.resources?.reservations?.genericResources ?? []) ?? []
    if !task.template.ingressPorts.isEmpty { task.ingressAddress = AddressAllocator.next(on: info) }
    return task
  }

  static func explain(_ refusals: [Filter: Int], isPreassigned: Bool) -> String {
    let order = Filter.allCases
    let fragments = order.filter { refusals[$0] != nil }
      .sorted { (refusals[$0] ?? 0, order.firstIndex(of: $1) ?? 0) > (refusals[$1] ?? 0, order.firstIndex(of: $0) ?? 0) }
      .map { $0.explanation(nodes: refusals[$0] ?? 0) }.joined(separator: "; ")
    if isPreassigned { return fragments }
    return fragments.isEmpty ? "no suitable node" : "no suitable node (\(fragments))"
  }

  private static func note(_ reason: String, on task: ClusterTask, _ transaction: inout Transaction, _ now: Now) {
    guard task.status.err != reason else { return }
    var task = task
    task.status.err = reason
    task.status.timestamp = now.wall
    task.updatedAt = now.wall
    transaction.put(task)
  }
}

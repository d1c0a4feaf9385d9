// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// The nodes as one round of scheduling sees them, with what it has placed on them so far.
struct TaskPlacer {
  private(set) var nodes: [NodeInfo]
  private let now: Now
  private lazy var indices = Dictionary(uniqueKeysWithValues: nodes.indices.map { (nodes[$0].node.id, $0) })

  /// - Parameter nodes: in the order in which ties go.
  init(_ nodes: [NodeInfo], now: Now) {
    self.nodes = nodes
    self.now = now
  }

  /// Gives tasks their nodes, in their order; those that find none are told why. False when there are such.
  mutating func place(_ tasks: [ClusterTask], in transaction: inout Transaction) -> Bool {
    var arePlaced = true
    for alike in tasks.chunked(by: { $0.template == $1.template && $0.nodeID.isEmpty && $1.nodeID.isEmpty }) {
      guard let first = alike.first else { continue }
      let demand = TaskDemand(first.template)
      let isPlaced = first.nodeID.isEmpty ? place(alike, demand, &transaction) : confirm(first, demand, &transaction)
      if !isPlaced { arePlaced = false }
    }
    return arePlaced
  }

  private mutating func place(_ tasks: ArraySlice<ClusterTask>, _ demand: TaskDemand, _ transaction: inout Transaction) -> Bool {
    var refusals: [Filter: Int] = [:]
    var ranking = ranking(demand, &refusals)
    for (position, task) in zip(tasks.indices, tasks) {
      guard let addresses = Self.addresses(demand, transaction) else {
        for task in tasks[position...] { note(Self.exhausted(demand, transaction), on: task, &transaction) }
        return false
      }
      let isPlaced = ranking.useBest { index in
        assign(task, to: index, demand, addresses, &transaction)
        guard let refusal = Filter.refusalAfterUse(nodes[index], demand) else {
          return Rank(nodes[index], at: index, for: demand.key, now: now)
        }
        refusals[refusal, default: 0] += 1
        return nil
      }
      if isPlaced { continue }
      let reason = Self.explain(refusals, isPreassigned: false)
      for task in tasks[position...] { note(reason, on: task, &transaction) }
      return false
    }
    return true
  }

  private func ranking(_ demand: TaskDemand, _ refusals: inout [Filter: Int]) -> Ranking {
    var ranking = Ranking(demand.spec.placement)
    for (index, info) in nodes.enumerated() {
      let refusal = Filter.refusal(info, demand)
      if let refusal { refusals[refusal, default: 0] += 1 }
      let rank = refusal == nil ? Rank(info, at: index, for: demand.key, now: now) : nil
      ranking.add(info, tasks: info.tasks(of: demand.serviceID), rank: rank)
    }
    return ranking
  }

  /// A task of a global service has its node already.
  private mutating func confirm(_ task: ClusterTask, _ demand: TaskDemand, _ transaction: inout Transaction) -> Bool {
    let index = indices[task.nodeID]
    let refusal = index.flatMap { Filter.refusal(nodes[$0], demand) }
    if let index, refusal == nil {
      guard let addresses = Self.addresses(demand, transaction) else {
        note(Self.exhausted(demand, transaction), on: task, &transaction)
        return false
      }
      assign(task, to: index, demand, addresses, &transaction)
      return true
    }
    note(Self.explain(refusal.map { [$0: 1] } ?? [:], isPreassigned: true), on: task, &transaction)
    return false
  }

  /// For one task; `nil` when a network has none left.
  private static func addresses(_ demand: TaskDemand, _ transaction: borrowing Transaction) -> [NetworkAddress]? {
    var given: [NetworkAddress] = []
    for id in demand.networks {
      guard let network = transaction.network(id) else { continue }
      guard let address = transaction.addresses[id].next(in: network) else { return nil }
      given.append(NetworkAddress(networkID: id, address: address))
    }
    return given
  }

  private static func exhausted(_ demand: TaskDemand, _ transaction: borrowing Transaction) -> String {
    let full = demand.networks.compactMap(transaction.network).filter { transaction.addresses[$0.id].next(in: $0) == nil }
    return "no free address on network \(full.map(\.name).joined(separator: ", "))"
  }

  private mutating func assign(
    _ task: ClusterTask, to index: Int, _ demand: TaskDemand, _ addresses: [NetworkAddress], _ transaction: inout Transaction
  ) {
    var task = task
    let message = task.nodeID.isEmpty ? "scheduler assigned task to node" : "scheduler confirmed task can run on preassigned node"
    task.nodeID = nodes[index].node.id
    task.status = TaskStatus(state: .assigned, timestamp: now.wall, message: message)
    task.updatedAt = now.wall
    task.genericResources = nodes[index].generic.claim(demand.reservations?.genericResources ?? []) ?? []
    if demand.needsAddress { task.ingressAddress = AddressAllocator.next(on: nodes[index]) }
    task.addresses = addresses
    transaction.put(task)
    nodes[index].add(task)
  }

  static func explain(_ refusals: [Filter: Int], isPreassigned: Bool) -> String {
    let order = Filter.allCases
    let fragments = order.filter { refusals[$0] != nil }
      .sorted { (refusals[$0] ?? 0, order.firstIndex(of: $1) ?? 0) > (refusals[$1] ?? 0, order.firstIndex(of: $0) ?? 0) }
      .map { $0.explanation(nodes: refusals[$0] ?? 0) }.joined(separator: "; ")
    if isPreassigned { return fragments }
    return fragments.isEmpty ? "no suitable node" : "no suitable node (\(fragments))"
  }

  private func note(_ reason: String, on task: ClusterTask, _ transaction: inout Transaction) {
    Self.note(reason, on: task, &transaction, now)
  }

  /// Why it waits.
  static func note(_ reason: String, on task: ClusterTask, _ transaction: inout Transaction, _ now: Now) {
    guard task.status.err != reason else { return }
    var task = task
    task.status.err = reason
    task.status.timestamp = now.wall
    task.updatedAt = now.wall
    transaction.put(task)
  }
}

extension Array {
  /// Neighbours that belong together, in order.
  fileprivate func chunked(by belongTogether: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
    var chunks: [ArraySlice<Element>] = []
    var start = startIndex
    for index in indices.dropFirst() where !belongTogether(self[index - 1], self[index]) {
      chunks.append(self[start..<index])
      start = index
    }
    if start < endIndex { chunks.append(self[start...]) }
    return chunks
  }
}

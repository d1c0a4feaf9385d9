// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import HeapModule

/// A node's place in swarm's order: nodes without recent failures first, then the fewest tasks of the service, then the fewest tasks at
/// all. Ties go to the node that comes first, so that a plan can be reproduced.
struct Rank: Comparable {
  let penalty: Int
  let serviceTasks: Int
  let tasks: Int
  let index: Int

  init(_ info: NodeInfo, at index: Int, for key: TaskTemplate.Key, now: Now) {
    penalty = info.penalty(for: key, now: now)
    serviceTasks = info.tasks(of: key.serviceID)
    tasks = info.activeTasks
    self.index = index
  }

  static func < (left: Rank, right: Rank) -> Bool {
    (left.penalty, left.serviceTasks, left.tasks, left.index) < (right.penalty, right.serviceTasks, right.tasks, right.index)
  }
}

/// Nodes that can take a task, the best first: by branches of spread preferences, the branch with the fewest tasks of the service at each
/// level, and by rank within the last and between branches that are level.
struct Ranking {
  private let descriptors: [String]
  private var root = Branch()

  init(_ placement: Placement?) {
    descriptors = (placement?.preferences ?? []).compactMap { $0.spread?.spreadDescriptor }.filter(Self.isLabel)
  }

  /// A node whose tasks of the service count for its branch; with a rank also one to choose.
  mutating func add(_ info: NodeInfo, tasks: Int, rank: Rank?) {
    root.add(descriptors[...].map { Self.value(of: $0, info.node) }[...], tasks: tasks, rank: rank)
  }

  /// Gives the best node's index to `use`, which answers with its rank afterwards, or `nil` when it can take no more. False when no
  /// node is left.
  mutating func useBest(_ use: (Int) -> Rank?) -> Bool { root.useBest(use) }

  private static let nodePrefix = "node.labels."
  private static let enginePrefix = "engine.labels."

  /// Anything else than a label is ignored, as swarm does. Case counts in the label's own name only.
  private static func isLabel(_ descriptor: String) -> Bool {
    [nodePrefix, enginePrefix].contains { descriptor.lowercased().hasPrefix($0) && descriptor.count > $0.count }
  }

  /// A missing label is a branch of its own.
  private static func value(of descriptor: String, _ node: Node) -> String {
    if descriptor.lowercased().hasPrefix(nodePrefix) {
      return node.spec.labels[String(descriptor.dropFirst(nodePrefix.count))] ?? ""
    }
    return node.description?.engine.labels[String(descriptor.dropFirst(enginePrefix.count))] ?? ""
  }
}

/// A part of the nodes: branches of the next level, or at the last one the nodes themselves.
private struct Branch {
  private var tasks = 0
  private var branches: [Branch] = []
  private var indices: [String: Int] = [:]
  private var nodes = Heap<Rank>()

  mutating func add(_ path: ArraySlice<String>, tasks count: Int, rank: Rank?) {
    tasks += count
    guard let value = path.first else {
      if let rank { nodes.insert(rank) }
      return
    }
    let index = indices[value] ?? branches.count
    if index == branches.count {
      indices[value] = index
      branches.append(Branch())
    }
    branches[index].add(path.dropFirst(), tasks: count, rank: rank)
  }

  mutating func useBest(_ use: (Int) -> Rank?) -> Bool {
    if branches.isEmpty { return useBestNode(use) }
    guard let best = bestBranch?.index else { return false }
    tasks += 1
    return branches[best].useBest(use)
  }

  private mutating func useBestNode(_ use: (Int) -> Rank?) -> Bool {
    guard let best = nodes.min else { return false }
    tasks += 1
    if let rank = use(best.index) { nodes.replaceMin(with: rank) } else { nodes.removeMin() }
    return true
  }

  private var best: Rank? { branches.isEmpty ? nodes.min : bestBranch?.rank }

  private var bestBranch: (index: Int, rank: Rank)? {
    var found: (index: Int, rank: Rank)?
    for (index, branch) in branches.enumerated() {
      guard let rank = branch.best else { continue }
      if let known = found, (branches[known.index].tasks, known.rank) <= (branch.tasks, rank) { continue }
      found = (index, rank)
    }
    return found
  }
}

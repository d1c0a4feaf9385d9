// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Swarm's order of nodes that a task could run on: spread preferences level by level, then nodes without recent failures, the fewest
/// tasks of the service, the fewest tasks at all. Ties go to the node that comes first, so that a plan can be reproduced.
struct Ranking {
  private let descriptors: [String]
  /// Tasks of the service by branch: the values of the labels down to a level, a missing label being a branch of its own.
  private var tasksByBranch: [[String]: Int] = [:]

  init(_ placement: Placement?, serviceID: String, nodes: [NodeInfo]) {
    descriptors = (placement?.preferences ?? []).compactMap { $0.spread?.spreadDescriptor }.filter(Self.isLabel)
    guard !descriptors.isEmpty else { return }
    for info in nodes {
      for branch in branches(of: info.node) { tasksByBranch[branch, default: 0] += info.tasks(of: serviceID) }
    }
  }

  func isBetter(_ left: NodeInfo, than right: NodeInfo, for task: ClusterTask) -> Bool {
    for (leftBranch, rightBranch) in zip(branches(of: left.node), branches(of: right.node)) where leftBranch != rightBranch {
      let leftCount = tasksByBranch[leftBranch] ?? 0
      let rightCount = tasksByBranch[rightBranch] ?? 0
      if leftCount != rightCount { return leftCount < rightCount }
      break
    }
    let leftPenalty = left.penalty(for: task.template.key)
    let rightPenalty = right.penalty(for: task.template.key)
    if leftPenalty != rightPenalty { return leftPenalty < rightPenalty }
    let leftCount = left.tasks(of: task.serviceID)
    let rightCount = right.tasks(of: task.serviceID)
    return leftCount != rightCount ? leftCount < rightCount : left.activeTasks < right.activeTasks
  }

  private func branches(of node: Node) -> [[String]] {
    var path: [String] = []
    return descriptors.map { descriptor in
      path.append(Self.value(of: descriptor, node))
      return path
    }
  }

  private static let nodePrefix = "node.labels."
  private static let enginePrefix = "engine.labels."

  /// Anything else than a label is ignored, as swarm does. Case counts in the label's own name only.
  private static func isLabel(_ descriptor: String) -> Bool {
    [nodePrefix, enginePrefix].contains { descriptor.lowercased().hasPrefix($0) && descriptor.count > $0.count }
  }

  private static func value(of descriptor: String, _ node: Node) -> String {
    if descriptor.lowercased().hasPrefix(nodePrefix) {
      return node.spec.labels[String(descriptor.dropFirst(nodePrefix.count))] ?? ""
    }
    return node.description?.engine.labels[String(descriptor.dropFirst(enginePrefix.count))] ?? ""
  }
}

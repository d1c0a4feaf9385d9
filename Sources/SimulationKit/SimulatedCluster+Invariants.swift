// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// What must hold at every moment, whatever happens.
extension SimulatedCluster {
  /// Desired and observed states only rise.
  mutating func checkOrder(_ proposal: Proposal) {
    for case .service(let service) in proposal.changes where service.spec.updateConfig?.order == "start-first" {
      startFirst.insert(service.id)
    }
    for case .task(let task) in proposal.changes {
      guard let before = store.tasks[task.id] else { continue }
      if task.desiredState < before.desiredState {
        violate("desired state of \(task.name) fell from \(before.desiredState) to \(task.desiredState)")
      }
      if task.state < before.state { violate("state of \(task.name) fell from \(before.state) to \(task.state)") }
      if task.jobIteration != nil, task.state == .complete, before.state != .complete {
        let slot = task.slot > 0 ? "slot \(task.slot)" : "node \(task.nodeID)"
        let key = "\(task.serviceID) of \(task.template.key.specVersion) \(slot)"
        if !completions.insert(key).inserted { violate("\(key) completed twice") }
      }
    }
  }

  /// One container runs per slot; two only while a start-first update replaces one by the other.
  mutating func checkSlots() {
    var running: [String: Int] = [:]
    for node in nodes.values {
      for (id, container) in node.containers where container == .running {
        guard let task = store.tasks[id] else { continue }
        let allowsTwo = startFirst.contains(task.serviceID)
        let key = "\(task.serviceID) \(task.slot > 0 ? "slot \(task.slot)" : "node \(task.nodeID)")"
        running[key, default: allowsTwo ? -1 : 0] += 1
      }
    }
    for (key, count) in running where count > 1 { violate("\(key) runs \(count) times too many") }
  }

  /// No job runs more at a time than it may, whatever run they are of.
  mutating func checkJob(of taskID: String) {
    guard let task = store.tasks[taskID], let most = store.services[task.serviceID]?.spec.mode.replicatedJob?.maxConcurrent else {
      return
    }
    let running = nodes.values.flatMap(\.containers).filter { $0.value == .running }
    let count = running.count { store.tasks[$0.key]?.serviceID == task.serviceID }
    if count > most { violate("\(task.template.serviceName) runs \(count) tasks at a time") }
  }

  /// No node gives the same named resource to two tasks, or more of a kind than it has.
  mutating func checkGenericResources(after proposal: Proposal) {
    for case .task(let task) in proposal.changes where !task.genericResources.isEmpty && task.state == .assigned {
      guard let node = store.nodes[task.nodeID] else { continue }
      let tasks = store.taskIDs(onNode: node.id).compactMap { store.tasks[$0] }.filter { !$0.state.isTerminal }
      let given = Dictionary(grouping: tasks.flatMap(\.genericResources), by: \.kind)
      for (kind, resources) in given {
        let names = resources.filter { $0.count == nil }
        let count = resources.reduce(0) { $0 + ($1.count ?? 0) }
        let has = (node.description?.resources.genericResources ?? []).filter { $0.kind == kind }
        if Set(names).count < names.count { violate("\(node.id) gives a \(kind) to two tasks") }
        if count > has.reduce(0, { $0 + ($1.count ?? 0) }) { violate("\(node.id) gives \(count) of \(kind)") }
      }
    }
  }

  /// A task that stops as planned is no longer in the table of any listener.
  mutating func checkStop(of taskID: String, on id: String) {
    guard let task = store.tasks[taskID], task.drain != nil, task.state == .running else { return }
    violate("\(task.name) was stopped while it was draining")
  }

  private mutating func violate(_ text: String) {
    if violations.count < 20 { violations.append("\(uptime): \(text)") }
  }
}

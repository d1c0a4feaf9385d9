// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// The simulated agents: level-triggered as the real one, with time passing between the steps.
extension SimulatedCluster {
  /// Gives every node that is up and whose tasks changed its complete assignment.
  mutating func assign() {
    for id in nodes.keys.sorted() where nodes[id]?.isUp == true {
      acknowledge(on: id)
      guard unassigned.remove(id) != nil else { continue }
      let tasks = store.tasks(onNode: id)
      nodes[id]?.assigned = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0) })
      for task in tasks { follow(task, on: id) }
      for gone in (nodes[id]?.containers.keys.sorted() ?? []) where nodes[id]?.assigned[gone] == nil {
        nodes[id]?.containers[gone] = nil
        nodes[id]?.statuses[gone] = nil
      }
    }
  }

  /// Tables coalesce on their way: a node acknowledges the newest it was sent.
  private mutating func acknowledge(on id: String) {
    let isUnderWay = nodes[id]?.sentGeneration ?? 0 > nodes[id]?.acknowledged ?? 0
    guard nodes[id]?.sentGeneration != store.version else { return }
    nodes[id]?.sentGeneration = store.version
    if !isUnderWay { after(behaviour.acknowledge, .acknowledge(node: id)) }
  }

  private mutating func follow(_ task: ClusterTask, on id: String) {
    guard var node = nodes[id], !node.busy.contains(task.id) else { return }
    let state = max(task.state, node.statuses[task.id]?.state ?? .assigned)
    guard !state.isTerminal, state >= .assigned else {
      if task.desiredState >= .shutdown, node.containers[task.id] == .running {
        begin(.stopped(node: id, task: task.id), behaviour.stop, task, &node)
      }
      return
    }
    if task.desiredState >= .shutdown {
      begin(.stopped(node: id, task: task.id), state == .running ? behaviour.stop : 0...0.05, task, &node)
    } else if state < .ready {
      begin(.progress(node: id, task: task.id), behaviour.prepare, task, &node)
    } else if state == .ready, task.desiredState > .ready {
      begin(.progress(node: id, task: task.id), behaviour.start, task, &node)
    }
  }

  private mutating func begin(_ event: Event, _ time: ClosedRange<Double>, _ task: ClusterTask, _ node: inout SimulatedNode) {
    node.busy.insert(task.id)
    nodes[node.id] = node
    after(time, event)
  }

  mutating func progress(_ taskID: String, on id: String) {
    guard var node = nodes[id], node.isUp else { return }
    node.busy.remove(taskID)
    defer { assignAgain(id) }
    guard let task = node.assigned[taskID], task.desiredState < .shutdown else { return nodes[id] = node }
    if node.containers[taskID] == nil, Double.random(in: 0..<1, using: &generator) < behaviour.prepareFailure {
      node.statuses[taskID] = TaskStatus(state: .rejected, timestamp: now.wall, message: "preparing", err: "No such image: web:1")
    } else if node.containers[taskID] == nil {
      node.containers[taskID] = .created
      node.statuses[taskID] = TaskStatus(state: .ready, timestamp: now.wall, message: "prepared")
    } else if Double.random(in: 0..<1, using: &generator) < behaviour.startFailure {
      node.containers[taskID] = .exited
      node.statuses[taskID] = TaskStatus(
        state: .failed, timestamp: now.wall, message: "starting", err: "task: non-zero exit (1)", exitCode: 1)
    } else {
      node.containers[taskID] = .running
      node.statuses[taskID] = TaskStatus(state: .running, timestamp: now.wall, message: "started")
      after(behaviour.becomeReady, .ready(node: id, task: taskID))
      if task.jobIteration != nil { after(behaviour.job, .ended(task: taskID)) }
    }
    nodes[id] = node
    checkSlots()
    checkJob(of: taskID)
    send(taskID, from: id)
  }

  mutating func becomeReady(_ taskID: String, on id: String) {
    guard nodes[id]?.isUp == true, nodes[id]?.containers[taskID] == .running, var status = nodes[id]?.statuses[taskID] else {
      return
    }
    status.isReady = true
    nodes[id]?.statuses[taskID] = status
    send(taskID, from: id)
  }

  mutating func stopped(_ taskID: String, on id: String) {
    guard nodes[id]?.isUp == true else { return }
    let wall = now.wall
    nodes[id]?.busy.remove(taskID)
    guard nodes[id]?.assigned[taskID] != nil else { return }
    checkStop(of: taskID, on: id)
    nodes[id]?.containers[taskID] = .exited
    nodes[id]?.statuses[taskID] = TaskStatus(state: .shutdown, timestamp: wall, message: "shutdown")
    send(taskID, from: id)
  }

  /// A container ends by itself.
  package mutating func crash(_ taskID: String, exitCode: Int = 137) {
    let wall = now.wall
    for id in nodes.keys.sorted() where nodes[id]?.containers[taskID] == .running && nodes[id]?.isUp == true {
      nodes[id]?.containers[taskID] = .exited
      nodes[id]?.statuses[taskID] = TaskStatus(
        state: exitCode == 0 ? .complete : .failed, timestamp: wall, message: exitCode == 0 ? "finished" : "started",
        err: exitCode == 0 ? "" : "task: non-zero exit (\(exitCode))", exitCode: exitCode)
      send(taskID, from: id)
    }
    write { _ in }
  }

  /// A host dies with all its containers; its node is `down` for the cluster.
  package mutating func lose(_ id: String) {
    nodes[id]?.isUp = false
    nodes[id]?.containers = [:]
    nodes[id]?.busy = []
    write { $0.setState(of: id, .down) }
  }

  /// The host is back, empty: what it ran has ended.
  package mutating func bringBack(_ id: String) {
    nodes[id]?.isUp = true
    unassigned.insert(id)
    let wall = now.wall
    for task in store.tasks(onNode: id) where !task.state.isTerminal && task.state >= .assigned {
      nodes[id]?.statuses[task.id] = TaskStatus(
        state: .failed, timestamp: wall, message: "started", err: "task: non-zero exit (255)", exitCode: 255)
      send(task.id, from: id)
    }
    write { $0.setState(of: id, .ready) }
  }

  /// Reports all statuses again, as at registration.
  mutating func report(_ id: String) { for task in (nodes[id]?.statuses.keys.sorted() ?? []) { send(task, from: id) } }

  private mutating func send(_ taskID: String, from id: String) {
    if let status = nodes[id]?.statuses[taskID] { report(status, of: taskID) }
  }

  private mutating func assignAgain(_ id: String) {
    if let task = nodes[id]?.assigned.values.sorted(by: { $0.id < $1.id }) { for task in task { follow(task, on: id) } }
  }
}

extension Transaction {
  fileprivate mutating func setState(of id: String, _ state: NodeStatus.State) {
    guard var node = node(id) else { return }
    node.status.state = state
    put(node)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// A node with what its tasks take of it, as the scheduler sees it.
struct NodeInfo: Sendable {
  let node: Node
  private(set) var reservedCPUs: Int64 = 0
  private(set) var reservedMemory: Int64 = 0
  private(set) var generic: GenericPool
  private(set) var activeTasks = 0
  private(set) var tasksByService: [String: Int] = [:]
  private(set) var hostPorts: Set<String> = []
  private(set) var usedAddresses: Set<UInt32> = []
  /// The address of the youngest task, ended ones included.
  private(set) var lastAddress: UInt32?
  private var lastAddressAt = Timestamp.zero
  private var failures: [TaskTemplate.Key: [Timestamp]] = [:]

  /// Swarm's penalty: this many failures within this time make a node the last choice for a spec version.
  static let failureLimit = 5
  static let failureWindow = Duration.zero..<Duration.seconds(300)

  init(_ node: Node, tasks: [ClusterTask]) {
    self.node = node
    generic = GenericPool(node.description?.resources.genericResources ?? [])
    // A global service's task has its node from the start and takes nothing of it before the scheduler has looked.
    for task in tasks where task.state >= .assigned { add(task) }
  }

  mutating func add(_ task: ClusterTask) {
    if let bits = task.ingressAddress?.bits, (task.createdAt, bits) > (lastAddressAt, lastAddress ?? 0) {
      (lastAddressAt, lastAddress) = (task.createdAt, bits)
    }
    guard !task.state.isTerminal else {
      if task.state == .failed || task.state == .rejected {
        failures[task.template.key, default: []].append(task.status.timestamp)
      }
      return
    }
    activeTasks += 1
    if task.intendedState < .shutdown { tasksByService[task.serviceID, default: 0] += 1 }
    if let reservations = task.template.spec.resources?.reservations {
      reservedCPUs += reservations.nanoCPUs ?? 0
      reservedMemory += reservations.memoryBytes ?? 0
    }
    if !task.genericResources.isEmpty { generic.take(task.genericResources) }
    if !task.template.ports.isEmpty { hostPorts.formUnion(task.template.fixedHostPorts) }
    if let address = task.ingressAddress { usedAddresses.insert(address.bits) }
  }

  func tasks(of serviceID: String) -> Int { tasksByService[serviceID] ?? 0 }

  /// 0 below the limit.
  func penalty(for key: TaskTemplate.Key, now: Now) -> Int {
    guard let failures = failures[key], failures.count >= Self.failureLimit else { return 0 }
    let count = failures.count { Self.failureWindow.contains(now.wall - $0) }
    return count >= Self.failureLimit ? count : 0
  }
}

extension TaskTemplate {
  /// Host-mode ports with a number of their own, as `tcp/8080`.
  var fixedHostPorts: [String] {
    ports.compactMap { port in
      port.isIngress ? nil : port.publishedPort.flatMap { $0 > 0 ? "\(port.transport)/\($0)" : nil }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Foundation
import Manager
import Orchestration
import StoreSQLite
import Synchronization

/// One service's tasks, made while no node takes any, and then placed: the leader's own control plane and store over SQLite, all of it
/// durable. Prints what both cost, as JSON.
///
///     scheduler-program TASKS NODES DIRECTORY [constraint]
@main struct SchedulerProgram {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4, let tasks = UInt64(arguments[1]), let nodes = Int(arguments[2]) else {
      throw Failure(message: "usage: scheduler-program TASKS NODES DIRECTORY [constraint]")
    }
    let backend = try await SQLiteBackend.create(directory: arguments[3], epochBase: 0)
    let leader = Leader(store: try await Store(backend: backend))
    try await leader.write { transaction in
      transaction.put(Self.cluster)
      for number in 1...nodes { transaction.put(Self.node(number, availability: "pause")) }
    }
    let constraints = arguments.count > 4 ? ["node.labels.zone==z1"] : nil
    let made = try await leader.time { $0.put(Self.service(tasks, constraints)) }
    let placed = try await leader.time { transaction in
      for var node in transaction.nodes {
        node.spec.availability = "active"
        transaction.put(node)
      }
    }
    let perNode = await leader.store.read { state in
      Dictionary(grouping: state.tasks.values.filter { $0.state == .assigned }, by: \.nodeID).mapValues(\.count)
    }
    let report = Report(
      made: made, placed: placed, assigned: perNode.values.reduce(0, +), nodes: perNode.count,
      fewest: perNode.values.min() ?? 0, most: perNode.values.max() ?? 0)
    print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
  }

  struct Report: Codable {
    var made: Cost
    var placed: Cost
    var assigned: Int
    var nodes: Int
    var fewest: Int
    var most: Int
  }

  struct Failure: Error { var message: String }

  private static var cluster: Cluster {
    Cluster(
      id: "cluster", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "w", manager: "m"), trustRoot: "",
      defaultAddrPool: ["10.0.0.0/8"], subnetSize: 24, dataPathPort: 4789,
      ingressPool: IPv4Subnet(base: IPv4Address(bits: 10 << 24), prefix: 8))
  }

  private static func node(_ number: Int, availability: String) -> Node {
    var spec = NodeSpec(role: "worker", availability: availability)
    spec.labels["zone"] = "z\(number % 4)"
    var node = Node(
      id: "node-\(number)", spec: spec, status: NodeStatus(state: .ready, addr: "192.0.2.1"), createdAt: .zero)
    node.description = NodeDescription(
      hostname: "n\(number)", platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(nanoCPUs: 64_000_000_000, memoryBytes: 1 << 38), engine: .init(engineVersion: "20.10.24"))
    return node
  }

  private static func service(_ replicas: UInt64, _ constraints: [String]?) -> Service {
    var task = TaskSpec(containerSpec: ContainerSpec(image: "web"))
    if let constraints { task.placement = Placement(constraints: constraints) }
    var spec = ServiceSpec(name: "web", taskTemplate: task)
    spec.mode = .replicated(replicas)
    return Service(id: "web", spec: spec, createdAt: .zero)
  }
}

struct Cost: Codable {
  var seconds: Double
  /// Seconds of processor time.
  var processor: Double
  var steps: Int
}

/// The leader: its decisions, held as its control loop holds them, and its store.
private final class Leader: Sendable {
  let store: Store
  private let plane = Mutex(ControlPlane(generator: SystemRandomNumberGenerator()))

  init(store: Store) { self.store = store }

  func write(_ body: @Sendable (inout Transaction) -> Void) async throws { _ = try await time(body) }

  /// From a write until nothing is left to decide.
  func time(_ body: @Sendable (inout Transaction) -> Void) async throws -> Cost {
    let watcher = await store.watch(AsyncStream<Void>.makeStream().continuation)
    let (clock, spent) = (ContinuousClock(), Self.processorTime)
    let began = clock.now
    try await store.batch(body)
    var steps = 0
    while case let dirty = await store.takeDirty(watcher), !dirty.isEmpty {
      try await store.batch { transaction in self.step(dirty, &transaction) }
      steps += 1
    }
    await store.stopWatching(watcher)
    return Cost(seconds: (clock.now - began) / .seconds(1), processor: Self.processorTime - spent, steps: steps)
  }

  private func step(_ dirty: DirtySet, _ transaction: inout Transaction) {
    plane.withLock { plane in
      let now = Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000), uptime: .zero)
      _ = plane.step(dirty, transaction: &transaction, now: now)
    }
  }

  private static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

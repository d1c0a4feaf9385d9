// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterStore
import Testing

@testable import Orchestration

@Suite("Tasks placed together")
struct TaskPlacementTests {
  @Test("go where each would have gone by itself, with everything looked up anew", arguments: UInt64(1)...12)
  func sameAsOneByOne(seed: UInt64) throws {
    var life = PlacementLife(seed: seed)
    var scheduler = Scheduler()
    for round in 0..<60 {
      let dirty = try life.change()
      var (together, alone) = (Transaction(over: life.store), Transaction(over: life.store))
      scheduler.forget(round == 0 ? nil : dirty.nodeIDs)
      let services = Set(life.store.knownServiceIDs)
      scheduler.schedule(services, retriesUnplaced: true, transaction: &together, now: life.now)
      OneByOne.schedule(services, &alone, life.now)
      #expect(PlacementLife.outcome(together) == PlacementLife.outcome(alone), "round \(round)")
      try life.apply(together)
    }
    #expect(life.store.tasks.values.contains { $0.state == .assigned })
  }

  @Test("spread over labels level by level: first over zones, then over racks within a zone")
  func levels() throws {
    var life = PlacementLife(seed: 1)
    try life.write { transaction in
      for (number, place) in ["a/1", "a/1", "a/2", "b/1"].enumerated() {
        let parts = place.split(separator: "/").map(String.init)
        transaction.put(PlacementLife.node("m\(number)", labels: ["zone": parts[0], "rack": parts[1]]))
      }
      for node in transaction.nodes where node.id.hasPrefix("n") { transaction.removeNode(node.id) }
      var placement = Placement()
      placement.preferences = [.init(spreadingOver: "node.labels.zone"), .init(spreadingOver: "node.labels.rack")]
      let template = PlacementLife.template("web") { $0.placement = placement }
      for slot in 1...8 { transaction.put(PlacementLife.task(template, slot)) }
    }
    var (scheduler, transaction) = (Scheduler(), Transaction(over: life.store))
    scheduler.schedule(["web"], retriesUnplaced: false, transaction: &transaction, now: life.now)
    let perNode = Dictionary(grouping: transaction.tasks(ofService: "web"), by: \.nodeID).mapValues(\.count)
    #expect(perNode == ["m0": 1, "m1": 1, "m2": 2, "m3": 4])
  }
}

/// Places tasks as swarm's words have it: for each, every node is filtered, and the best of those that pass is taken.
private enum OneByOne {
  static func schedule(_ services: Set<String>, _ transaction: inout Transaction, _ now: Now) {
    for id in services.sorted() {
      for task in transaction.tasks(ofService: id) where task.state == .pending && task.isLive { place(task, &transaction, now) }
    }
  }

  private static func place(_ task: ClusterTask, _ transaction: inout Transaction, _ now: Now) {
    let infos = transaction.nodes.map { NodeInfo($0, tasks: transaction.tasks(onNode: $0.id)) }
    let demand = TaskDemand(task.template)
    let refusals = infos.map { Filter.refusal($0, demand) }
    let spreads = demand.spec.placement?.preferences != nil
    func order(_ index: Int) -> (Int, Rank) {
      let zone = infos[index].node.spec.labels["zone"]
      let inZone = infos.filter { $0.node.spec.labels["zone"] == zone }.reduce(0) { $0 + $1.tasks(of: task.serviceID) }
      return (spreads ? inZone : 0, Rank(infos[index], at: index, for: demand.key, now: now))
    }
    var task = task
    if let best = infos.indices.filter({ refusals[$0] == nil }).min(by: { order($0) < order($1) }) {
      task.nodeID = infos[best].node.id
      task.status = TaskStatus(state: .assigned, timestamp: now.wall, message: "")
    } else {
      let counts = Dictionary(refusals.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
      task.status.err = TaskPlacer.explain(counts, isPreassigned: false)
    }
    transaction.put(task)
  }
}

/// A cluster to which things happen: services come, tasks end, nodes pause, are drained, and go.
private struct PlacementLife {
  private(set) var store = ClusterStore(version: 1)
  private(set) var now = Now(wall: Timestamp(nanoseconds: 1_000_000_000_000), uptime: .zero)
  private var generator: SplitMix64
  private var made = 0

  init(seed: UInt64) {
    generator = SplitMix64(seed: seed)
    try? write { transaction in
      for number in 1...6 { transaction.put(Self.node("n\(number)", labels: ["zone": number % 3 == 0 ? "b" : "a"])) }
    }
  }

  mutating func change() throws -> DirtySet {
    now = Now(wall: now.wall + .seconds(40), uptime: now.uptime + .seconds(40))
    var transaction = Transaction(over: store)
    for _ in 0..<3 { change(&transaction) }
    return try apply(transaction)
  }

  private mutating func change(_ transaction: inout Transaction) {
    let tasks = store.tasks.values.sorted { $0.id < $1.id }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0...2: create(&transaction)
    case 3...5:
      guard var task = tasks.randomElement(using: &generator), !task.state.isTerminal else { return }
      task.status = TaskStatus(
        state: [.running, .failed, .rejected, .complete].randomElement(using: &generator) ?? .failed, timestamp: now.wall,
        message: "")
      transaction.put(task)
    case 6:
      if let task = tasks.randomElement(using: &generator) { transaction.removeTask(task.id) }
    default:
      guard var node = store.nodes.values.sorted(by: { $0.id < $1.id }).randomElement(using: &generator) else { return }
      node.spec.availability = ["active", "active", "pause", "drain"].randomElement(using: &generator) ?? "active"
      transaction.put(node)
    }
  }

  private mutating func create(_ transaction: inout Transaction) {
    made += 1
    let kind = Int.random(in: 0..<6, using: &generator)
    let ports = kind == 1 ? [PortConfig(targetPort: 80, publishedPort: 8_080, publishMode: "host")] : []
    let template = Self.template("s\(kind)", ports: ports) { spec in
      switch kind {
      case 2: spec.resources = Resources(reservations: .init(nanoCPUs: 1_500_000_000))
      case 3: spec.placement = Placement(constraints: ["node.labels.zone==b"])
      case 4:
        spec.placement = Placement()
        spec.placement?.maxReplicas = 2
      case 5:
        spec.placement = Placement()
        spec.placement?.preferences = [.init(spreadingOver: "node.labels.zone")]
      default: break
      }
    }
    for number in 1...Int.random(in: 1...6, using: &generator) { transaction.put(Self.task(template, made * 10 + number)) }
  }

  @discardableResult
  mutating func apply(_ transaction: consuming Transaction) throws -> DirtySet {
    var dirty = DirtySet()
    for proposal in try transaction.batchedProposals() {
      dirty.insert(proposal.changes, before: store)
      store.apply(proposal, version: store.version + 1)
    }
    return dirty
  }

  mutating func write(_ body: (inout Transaction) -> Void) throws {
    var transaction = Transaction(over: store)
    body(&transaction)
    try apply(transaction)
  }

  static func outcome(_ transaction: borrowing Transaction) -> [String: [String]] {
    var outcome: [String: [String]] = [:]
    for id in transaction.knownServiceIDs {
      for task in transaction.tasks(ofService: id) { outcome[task.id] = [task.nodeID, "\(task.state)", task.status.err] }
    }
    return outcome
  }

  static func node(_ id: String, labels: [String: String]) -> Node {
    var node = Node(
      id: id, spec: NodeSpec(labels: labels, role: "worker", availability: "active"),
      status: NodeStatus(state: .ready, addr: "192.0.2.1"), createdAt: .zero)
    node.description = NodeDescription(
      hostname: id, platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(nanoCPUs: 4_000_000_000, memoryBytes: 1 << 33), engine: .init(engineVersion: "20.10.24"))
    return node
  }

  static func template(_ service: String, ports: [PortConfig] = [], _ adjust: (inout TaskSpec) -> Void) -> TaskTemplate {
    var spec = TaskSpec(containerSpec: ContainerSpec(image: "web"))
    adjust(&spec)
    return TaskTemplate(
      key: .init(serviceID: service, specVersion: 1), serviceName: service, serviceLabels: [:], spec: spec, endpointSpec: nil,
      ports: ports)
  }

  static func task(_ template: TaskTemplate, _ slot: Int) -> ClusterTask {
    ClusterTask(
      id: "\(template.key.serviceID)-\(slot)", template: template, slot: slot, desiredState: .running,
      status: TaskStatus(state: .pending, timestamp: .zero, message: ""), createdAt: .zero)
  }
}

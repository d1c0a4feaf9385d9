// SPDX-License-Identifier: Apache-2.0

import Balancing
package import ClusterModel
package import ClusterStore
import Orchestration

/// A whole cluster in one thread: the real control plane over the real store value, simulated hosts, virtual time, one seed.
///
/// Everything that happens is an event of its queue; the same seed and the same calls give the same life.
package struct SimulatedCluster {
  enum Event {
    case wake
    case progress(node: String, task: String)
    case ready(node: String, task: String)
    case stopped(node: String, task: String)
    case ended(task: String)
    case acknowledge(node: String)
  }

  package private(set) var store = ClusterStore(version: 1_000)
  package internal(set) var nodes: [String: SimulatedNode] = [:]
  package private(set) var uptime = Duration.zero
  /// How far the hosts' wall clocks are off; timers go by uptime.
  private var wallOffset = Duration.zero
  package var behaviour = SimulatedBehaviour()
  /// What must never happen and did; empty in a sound cluster.
  package internal(set) var violations: [String] = []
  package private(set) var steps = 0

  /// Nodes whose assignment has changed since they last saw it.
  var unassigned: Set<String> = []
  /// Services that were ever updated start-first, gone ones included.
  var startFirst: Set<String> = []
  /// Slots of jobs that have completed, by service and run.
  var completions: Set<String> = []
  var generator: SplitMix64
  var queue = EventQueue<Event>()
  private var plane: ControlPlane<SplitMix64>
  private var dirty: DirtySet? = DirtySet()
  private var nextWake: Duration?

  package init(seed: UInt64, nodes count: Int) {
    generator = SplitMix64(seed: seed)
    plane = ControlPlane(generator: SplitMix64(seed: seed ^ 0xFEED))
    write { transaction in
      transaction.put(Self.cluster)
      for number in 1...count { transaction.put(Self.node("n\(number)")) }
    }
    for number in 1...count { nodes["n\(number)"] = SimulatedNode(id: "n\(number)") }
  }

  package var now: Now {
    Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000) + uptime + wallOffset, uptime: uptime)
  }

  /// Somebody, or NTP, sets the wall clock.
  package mutating func moveClock(by offset: Duration) { wallOffset += offset }

  /// A write of a user.
  package mutating func write(_ body: (inout Transaction) -> Void) {
    var transaction = Transaction(over: store)
    body(&transaction)
    commit(transaction)
    settle()
  }

  /// Loses everything the leader remembers, as a restart or a change of leader does.
  package mutating func restartLeader() {
    plane = ControlPlane(generator: SplitMix64(seed: generator.next()))
    dirty = nil
    for id in nodes.keys.sorted() { report(id) }
    settle()
  }

  /// Lets `duration` go by.
  package mutating func run(for duration: Duration) {
    let end = uptime + duration
    while let time = queue.nextTime, time <= end, let (_, event) = queue.pop() {
      uptime = max(uptime, time)
      handle(event)
      settle()
    }
    uptime = end
  }
}

extension SimulatedCluster {
  private mutating func commit(_ transaction: consuming Transaction) {
    do {
      for proposal in try transaction.batchedProposals() {
        var changed = dirty ?? DirtySet()
        changed.insert(proposal.changes, before: store)
        if dirty != nil { dirty = changed }
        unassigned.formUnion(changed.nodeIDs)
        checkOrder(proposal)
        store.apply(proposal, version: store.version + 1)
        checkGenericResources(after: proposal)
      }
    } catch { violations.append("a transaction could not be encoded: \(error)") }
  }

  /// Steps the control plane until it has nothing to say, then lets the nodes see what they are to do.
  private mutating func settle() {
    var rounds = 0
    while dirty.map({ !$0.isEmpty }) ?? true {
      rounds += 1
      guard rounds < 100 else {
        violations.append("the control plane does not come to rest at \(uptime)")
        return
      }
      step()
    }
    assign()
  }

  private mutating func step() {
    steps += 1
    var transaction = Transaction(over: store)
    let deadline = plane.step(dirty, transaction: &transaction, now: now)
    dirty = DirtySet()
    commit(transaction)
    guard let deadline, nextWake.map({ deadline < $0 || $0 <= uptime }) ?? true else { return }
    nextWake = deadline
    queue.add(.wake, at: max(deadline, uptime))
  }

  private mutating func handle(_ event: Event) {
    switch event {
    case .wake:
      nextWake = nil
      step()
    case .progress(let node, let task): progress(task, on: node)
    case .ready(let node, let task): becomeReady(task, on: node)
    case .stopped(let node, let task): stopped(task, on: node)
    case .ended(let task): crash(task, exitCode: Double.random(in: 0..<1, using: &generator) < behaviour.jobFailure ? 1 : 0)
    case .acknowledge(let node):
      guard let generation = nodes[node]?.sentGeneration else { return }
      nodes[node]?.acknowledged = generation
      guard nodes[node]?.isUp == true else { return }
      if plane.note(nodeID: node, generation: generation, openConnections: [:]) { step() }
    }
  }

  /// A status from a node, merged as the dispatcher does.
  mutating func report(_ status: TaskStatus, of taskID: String) {
    var transaction = Transaction(over: store)
    guard var task = transaction.task(taskID), task.report(status, at: now.wall) else { return }
    transaction.put(task)
    commit(transaction)
  }

  mutating func after(_ range: ClosedRange<Double>, _ event: Event) {
    queue.add(event, at: uptime + .seconds(Double.random(in: range, using: &generator)))
  }
}

extension SimulatedCluster {
  private static let cluster = Cluster(
    id: "sim", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "", manager: ""), trustRoot: "",
    defaultAddrPool: ["10.0.0.0/8"], subnetSize: 24, dataPathPort: 4_789,
    ingressPool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16))

  private static func node(_ id: String) -> Node {
    var node = Node(
      id: id, spec: NodeSpec(role: "worker", availability: "active"), status: NodeStatus(state: .ready, addr: "192.0.2.1"),
      createdAt: .zero)
    node.description = NodeDescription(
      hostname: id, platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(
        nanoCPUs: 8_000_000_000, memoryBytes: 1 << 35,
        genericResources: [.discrete("fpga", 3), .named("gpu", "\(id)-0"), .named("gpu", "\(id)-1")]),
      engine: .init(engineVersion: "20.10.24"))
    return node
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import EngineTestKit
import HTTPWire
import Identity
import Manager
import Synchronization
import Testing

@testable import EngineAPI

/// Holds nothing: what it is given is durable enough for a test.
struct ForgetfulBackend: StoreBackend {
  func load() async throws -> StoreSnapshot { StoreSnapshot(epochBase: 100, revision: 0, records: []) }
  func commit(_ group: [[RecordWrite]], at revision: UInt64) async throws {}
}

/// Counts up, so that ids differ and a test can be run again.
struct CountingGenerator: RandomNumberGenerator {
  var value: UInt64 = 0
  mutating func next() -> UInt64 {
    value &+= 0x9E37_79B9_7F4A_7C15
    return value
  }
}

/// The daemon's part: a state that a test sets, and what was asked of it.
final class FakeControl: SwarmControl {
  struct State {
    var swarm = SwarmState.inactive
    var initialized: [SwarmInit] = []
    var attached: [NodeMessage.AttachRequest] = []
    var attachments: [String: Result<AttachedPlace, RPCFailure>] = [:]
    var leaves: [Bool] = []
    var joins: [SwarmJoin] = []
    var joinFailure: (any Error)?
    var sources: [String: any TaskLogSource] = [:]
  }

  let inner = Mutex(State())

  var state: SwarmState { inner.withLock(\.swarm) }
  func systemAddresses() -> [SystemAddress] { [SystemAddress(interface: "eth0", address: "10.9.0.1")] }
  func initialize(_ request: SwarmInit) -> String {
    inner.withLock { $0.initialized.append(request) }
    return "n1"
  }
  func join(_ request: SwarmJoin) throws {
    let failure = inner.withLock { state in
      state.joins.append(request)
      return state.joinFailure
    }
    if let failure { throw failure }
  }
  func leave(force: Bool) { inner.withLock { $0.leaves.append(force) } }
  func attach(_ request: NodeMessage.AttachRequest) throws -> AttachedPlace {
    let answer = inner.withLock { state in
      state.attached.append(request)
      return state.attachments[request.network]
    }
    return try (answer ?? .failure(RPCFailure(.notFound, "network \(request.network) not found"))).get()
  }
  func logSource(forNode id: String) -> (any TaskLogSource)? { inner.withLock { $0.sources[id] } }
}

/// Makes roots named after what is wished for.
final class FakeRoots: RootMaker {
  let wishes = Mutex<[RootWish]>([])

  func rotation(to wish: RootWish, from cluster: Cluster) throws -> RootRotation? {
    let count = wishes.withLock { wishes in
      wishes.append(wish)
      return wishes.count
    }
    switch wish {
    case .new: return RootRotation(certificate: "new \(count)", crossSigned: "link", digest: [1])
    case .given(let certificate, _):
      return certificate == "present" ? nil : RootRotation(certificate: certificate, crossSigned: "link", digest: [1])
    }
  }
}

/// The API over a store in memory and an engine that is none.
struct SwarmRig: Sendable {
  let control = FakeControl()
  let engine: FakeEngine
  let store: Store
  let events = EventLog()
  let roots = FakeRoots()
  let api: SwarmAPI

  static let sealer = SealingKey.make()
  static let time = Timestamp(nanoseconds: 1_714_557_600_000_000_000)

  /// With a swarm of one manager, `n1`, unless told otherwise.
  init(active: Bool = true, engine: FakeEngine = FakeEngine(), sealer: any Sealer = Self.sealer) async throws {
    self.engine = engine
    store = try await Store(backend: ForgetfulBackend())
    api = SwarmAPI(control: control, engine: engine, eventLog: events, now: { Self.time })
    await events.follow(store, now: { Self.time })
    guard active else { return }
    try await store.transaction { transaction in
      transaction.put(Fixture.cluster)
      transaction.put(Fixture.manager)
    }
    let swarm = ActiveSwarm(
      store: store, clusterID: Fixture.cluster.id, nodeID: "n1", address: "10.9.0.1", sealer: sealer, roots: roots)
    control.inner.withLock { $0.swarm = .active(swarm) }
  }

  static func request(
    _ method: String, _ target: String, _ body: String = "", headers: HTTPHeaders = ["Content-Type": "application/json"]
  ) throws -> Request {
    let head = RequestHead(method: method, target: target, headers: headers)
    return Request(head: head, line: try RequestLine(head), body: Array(body.utf8))
  }

  /// Status and body, errors included, as a client would get them.
  func call(
    _ method: String, _ target: String, _ body: String = "", headers: HTTPHeaders = ["Content-Type": "application/json"],
    api other: SwarmAPI? = nil
  ) async throws -> (status: Int, text: String) {
    let request = try Self.request(method, target, body, headers: headers)
    let api = other ?? api
    switch api.route(request.line) {
    case .pipe: return (0, "piped")
    case .ours: return try await Self.answer { try await api.respond(to: request) }
    case .rewrite(let change):
      let rewritten = try await Self.result { try await change(request) }
      switch rewritten {
      case .success(.forward(let head, let body)): return (0, head.target + String(decoding: body, as: UTF8.self))
      case .success(.answer(let response)): return try await Self.answer { response }
      case .failure(let error): return (error.status, error.message)
      }
    }
  }

  private static func result<T>(_ work: () async throws -> T) async throws -> Result<T, APIError> {
    do { return .success(try await work()) } catch let error as APIError { return .failure(error) }
  }

  private static func answer(_ work: () async throws -> Response) async throws -> (status: Int, text: String) {
    switch try await result(work) {
    case .success(let response):
      guard case .bytes(let bytes) = response.body else { return (response.status, "stream") }
      return (response.status, String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self))
    case .failure(let error): return (error.status, error.message)
    }
  }

  /// Creates a service and returns its id.
  @discardableResult
  func create(_ body: String) async throws -> String {
    let (status, text) = try await call("POST", "/services/create", body)
    try #require(status == 201, "\(text)")
    return try #require(try JSONValue(parsing: text)["ID"]?.stringValue)
  }

  func version(ofService id: String) async -> UInt64 { await store.read { $0.services[id]?.version ?? 0 } }
}

enum Fixture {
  static let cluster: Cluster = {
    var spec = ClusterSpec.defaults
    spec.labels = ["a": "b"]
    let token = { (secret: Character) in
      "SWMTKN-1-\(String(repeating: "d", count: 50))-\(String(repeating: secret, count: 25))"
    }
    return Cluster(
      id: "clusteraaaaaaaaaaaaaaaaaa", spec: spec, createdAt: SwarmRig.time,
      joinTokens: .init(worker: token("w"), manager: token("m")), trustRoot: "", defaultAddrPool: ["10.0.0.0/8"], subnetSize: 24,
      dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16))
  }()

  static let manager: Node = {
    var node = Node(
      id: "n1", spec: NodeSpec(labels: ["zone": "east"], role: "manager", availability: "active"),
      status: NodeStatus(state: .ready, addr: "10.9.0.1"), createdAt: SwarmRig.time)
    node.managerAddr = "10.9.0.1:2377"
    node.ingressSubnet = IPv4Subnet("10.0.1.0/24")
    node.description = NodeDescription(
      hostname: "Alpha", platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(nanoCPUs: 2_000_000_000, memoryBytes: 4_096, genericResources: [.discrete("gpu", 2)]),
      engine: .init(engineVersion: "20.10.24", labels: ["disk": "ssd"], plugins: [.init(type: "Log", name: "json-file")]))
    return node
  }()

  static func worker(_ id: String, state: NodeStatus.State = .ready) -> Node {
    var node = Node(
      id: id, spec: NodeSpec(role: "worker", availability: "active"), status: NodeStatus(state: state, addr: "10.9.0.2"),
      createdAt: SwarmRig.time)
    node.description = manager.description
    node.description?.hostname = id + "-host"
    return node
  }

  static func task(
    _ id: String, of service: Service, slot: Int = 1, node: String = "n1", state: TaskState = .running,
    spec: TaskSpec? = nil, specVersion: UInt64? = nil
  ) -> ClusterTask {
    let template = TaskTemplate(
      key: .init(serviceID: service.id, specVersion: specVersion ?? service.version), serviceName: service.name,
      serviceLabels: service.spec.labels, spec: spec ?? service.spec.taskTemplate, endpointSpec: service.spec.endpointSpec,
      ports: service.spec.endpointSpec?.ports ?? [])
    return ClusterTask(
      id: id, template: template, slot: slot, nodeID: node, desiredState: .running,
      status: TaskStatus(state: state, timestamp: SwarmRig.time, message: "started", containerID: node.isEmpty ? "" : "c-" + id),
      createdAt: SwarmRig.time)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import ClusterStore
import Logging
import Orchestration
import Testing

@testable import Manager

/// The manager's side of other nodes over a store in memory, with the test as the nodes.
@Suite("Nodes of a manager")
struct NodeServiceTests {
  private struct NoSecrets: Sealer {
    func seal(_ secret: [UInt8], of owner: String) throws -> Sealed { Sealed(bytes: secret) }
    func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] { sealed.bytes }
  }

  private static let description = NodeDescription(
    hostname: "h", platform: .init(architecture: "x86_64", os: "linux"), resources: .init(nanoCPUs: 1, memoryBytes: 1),
    engine: .init(engineVersion: "1"))
  private static let digest = [UInt8](repeating: 7, count: 32)

  private struct Rig {
    let store: Store
    let service: NodeService
    let tokens: Cluster.JoinTokens

    init() async throws {
      let clock = ContinuousClock()
      let start = clock.now
      let now: @Sendable () -> Now = {
        let uptime = start.duration(to: clock.now)
        return Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000) + uptime, uptime: uptime)
      }
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      var generator = SystemRandomNumberGenerator()
      let tokens = Cluster.JoinTokens(
        worker: JoinToken.make(digest: digest, using: &generator), manager: JoinToken.make(digest: digest, using: &generator))
      self.tokens = tokens
      store = try await Store(backend: MemoryBackend())
      let secrets = ClusterSecrets(sign: { _, node, isManager, _ in "\(node) \(isManager)" }, sealer: NoSecrets())
      service = NodeService(
        ownID: "m1", store: store, loop: ControlLoop(store: store, logger: logger, now: now), secrets: secrets, logger: logger,
        now: now)
      try await store.transaction { transaction in
        transaction.put(
          Cluster(
            id: "c1", spec: .defaults, createdAt: .zero, joinTokens: tokens, trustRoot: "root", defaultAddrPool: [],
            subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16)))
        var manager = Node(
          id: "m1", spec: NodeSpec(role: "manager", availability: "active"), status: NodeStatus(state: .ready, addr: ""),
          createdAt: .zero)
        manager.managerAddr = "192.0.2.1:2377"
        transaction.put(manager)
      }
    }

    func join(_ token: String, availability: String? = nil) async throws -> String {
      let request = NodeMessage.CertificateRequest(signingRequest: "", token: token, availability: availability)
      return String(try await service.issueCertificate(request, to: nil).certificate.prefix { $0 != " " })
    }

    func register(_ node: String, session: String? = nil, dataPath: String? = nil) async throws -> NodeMessage.Session {
      try await service.register(
        .init(description: description, statuses: [:], dataPathAddr: dataPath), of: node, session: session, address: "192.0.2.2")
    }

    func state(_ node: String) async -> NodeStatus.State? { await store.read { $0.nodes[node]?.status.state } }

    /// Runs the service around `body`.
    func run(_ body: () async throws -> Void) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await service.run() }
        try await body()
        group.cancelAll()
      }
    }

    func until(_ what: Comment, _ holds: () async -> Bool) async throws {
      let end = ContinuousClock.now + .seconds(10)
      while await !holds() {
        try #require(ContinuousClock.now < end, what)
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  private func refusal(_ body: () async throws -> Void) async -> RPCFailure? {
    do {
      try await body()
      return nil
    } catch { return error as? RPCFailure }
  }

  @Test("a worker's token makes a node of the wanted availability; a manager's and a wrong one make none")
  func joining() async throws {
    let rig = try await Rig()
    let id = try await rig.join(rig.tokens.worker, availability: "drain")
    let node = try #require(await rig.store.read { $0.nodes[id] })
    #expect(node.spec == NodeSpec(role: "worker", availability: "drain"))
    #expect(node.status.state == .unknown)
    let manager = await refusal { _ = try await rig.join(rig.tokens.manager) }
    #expect(manager?.code == .failedPrecondition)
    let wrong = await refusal { _ = try await rig.join(rig.tokens.worker + "x") }
    #expect(wrong == RPCFailure(.invalidArgument, "A valid join token is necessary to join this cluster"))
    let odd = await refusal { _ = try await rig.join(rig.tokens.worker, availability: "often") }
    #expect(odd?.code == .invalidArgument)
    #expect(await rig.store.read { $0.nodes.count } == 2)
  }

  @Test("while the root is replaced nodes are told so with each beat, and given both roots with a certificate")
  func rotation() async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      let session = try await rig.register(id)
      let digest = JoinToken.hexadecimal(Self.digest)
      #expect(try await rig.service.beat(of: id, session: session.id).authority == digest)
      let next = RootRotation(certificate: "next", crossSigned: "link", digest: Array(repeating: 9, count: 32))
      try await rig.store.transaction { transaction in
        guard var cluster = transaction.cluster else { return }
        cluster.rotation = next
        transaction.put(cluster)
      }
      #expect(
        try await rig.service.beat(of: id, session: session.id).authority == digest + "-" + JoinToken.hexadecimal(next.digest))
      let reply = try await rig.service.issueCertificate(.init(signingRequest: ""), to: id)
      #expect(reply == .init(certificate: "\(id) false", trust: "rootnext", crossSigned: "link"))
    }
  }

  @Test("a session is the node's newest: calls of an earlier one are refused, and its assignments end")
  func sessions() async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      let first = try await rig.register(id)
      #expect(first.managers == [.init(nodeID: "m1", addr: "192.0.2.1:2377")])
      #expect(await rig.state(id) == .ready)
      var assignments = try await rig.service.assignments(of: id, session: first.id).makeAsyncIterator()
      #expect(await assignments.next()?.nodeID == id)
      #expect(try await rig.register(id, session: first.id).id == first.id, "in a session only the description is renewed")
      let second = try await rig.register(id)
      #expect(second.id != first.id)
      #expect(await assignments.next() == nil)
      #expect(await refusal { _ = try await rig.service.beat(of: id, session: first.id) } == .sessionOver)
      #expect(await refusal { try await rig.service.update(.init([:]), of: id, session: first.id) } == .sessionOver)
      #expect(try await rig.service.beat(of: id, session: second.id).heartbeatPeriod == 500_000_000)
    }
  }

  @Test(
    "a node's peers send to where it wants them to, or else to where it is seen; what no tunnel can take does not count",
    arguments: [
      ("198.51.100.7", "198.51.100.7", "192.0.2.2"), ("192.0.2.2", "192.0.2.2", nil), ("fd00::7", "192.0.2.2", nil),
      ("; drop", "192.0.2.2", nil),
    ] as [(String, String, String?)])
  func dataPath(wish: String, end: String, other: String?) async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      func peer(_ wish: String?) async throws -> Peer? {
        _ = try await rig.register(id, dataPath: wish)
        return await rig.store.read { store in
          guard var node = store.nodes[id], let cluster = store.cluster else { return nil }
          #expect(node.status.addr == "192.0.2.2")
          node.ingressSubnet = IPv4Subnet("10.0.1.0/24")
          return Meshes.peer(node, cluster)
        }
      }
      let plain = try await peer(nil)
      #expect(plain?.address == IPv4Address("192.0.2.2") && plain?.other == nil)
      let chosen = try await peer(wish)
      #expect(chosen?.address == IPv4Address(end) && chosen?.other == other.flatMap { IPv4Address($0) })
      #expect(try await peer(nil) == plain, "a node that has joined again, without a wish")
    }
  }

  @Test(
    "a node that is silent is down and must register anew; one that leaves is down at once, one that says it will be back is not")
  func silence() async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      let session = try await rig.register(id)
      try await rig.until("the silent node is down") { await rig.state(id) == .down }
      #expect(await rig.store.read { $0.nodes[id]?.status.message } == "heartbeat failure")
      #expect(await refusal { _ = try await rig.service.beat(of: id, session: session.id) } == .sessionOver)
      let back = try await rig.register(id)
      #expect(await rig.store.read { $0.nodes[id]?.status } == NodeStatus(state: .ready, addr: "192.0.2.2"))
      try await rig.service.goodbye(.init(lease: .seconds(60)), of: id, session: back.id)
      #expect(await rig.state(id) == .disconnected)
      let again = try await rig.register(id)
      try await rig.service.goodbye(.init(lease: nil), of: id, session: again.id)
      #expect(await rig.state(id) == .down)
    }
  }

  @Test("a node that is lost again and again is there, and gets no tasks for a while; one that registers without end is refused")
  func flapping() async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      await rig.service.noteLosses(3, of: id)
      _ = try await rig.register(id)
      let status = try #require(await rig.store.read { $0.nodes[id]?.status })
      #expect(status.state == .unknown)
      #expect(status.message?.hasPrefix("lost 3 times within 10 minutes: gets tasks again in 1") == true)
      let session = try await rig.register(id)
      // A change of the host gives it no tasks either.
      _ = try await rig.register(id, session: session.id)
      _ = try await rig.service.beat(of: id, session: session.id)
      #expect(await rig.state(id) == .unknown)
      for _ in 0..<2 { _ = try await rig.register(id) }
      let last = await rig.service.sessions[id]?.id
      // One that ends its session in order, to show another certificate, is no trouble.
      let orderly = NodeMessage.Registration(description: Self.description, statuses: [:], replaces: last)
      _ = try await rig.service.register(orderly, of: id, session: nil, address: "192.0.2.2")
      let refused = await refusal { _ = try await rig.register(id) }
      #expect(refused == RPCFailure(.unavailable, "node \(id) exceeded rate limit count of registrations"))
    }
  }

  @Test("a host that asks again with the same key is the same node, until it has registered; one that never does is forgotten")
  func lostAnswer() async throws {
    let rig = try await Rig()
    func join(_ key: String) async throws -> String {
      let request = NodeMessage.CertificateRequest(signingRequest: key, token: rig.tokens.worker)
      return String(try await rig.service.issueCertificate(request, to: nil).certificate.prefix { $0 != " " })
    }
    let first = try await join("k1")
    #expect(try await join("k1") == first)
    #expect(try await join("k2") != first)
    #expect(await refusal { _ = try await rig.service.issueCertificate(.init(signingRequest: "k1", token: "x"), to: nil) } != nil)
    #expect(await rig.store.read { $0.nodes.count } == 3)
    _ = try await rig.register(first)
    #expect(try await join("k1") != first, "a node's id is not given out again")
    let (node, now) = (await rig.store.read { $0.nodes }, Timestamp(nanoseconds: 1_700_000_000_000_000_000))
    let abandoned = { (after: Int64) in node.values.filter { $0.isAbandoned(at: now + .seconds(after)) }.count }
    #expect(abandoned(590) == 0 && abandoned(700) == 2)
  }

  @Test("a node that was removed is refused, and its session is over")
  func removed() async throws {
    let rig = try await Rig()
    try await rig.run {
      let id = try await rig.join(rig.tokens.worker)
      let session = try await rig.register(id)
      try await rig.store.transaction { $0.removeNode(id) }
      let words = "Permission denied: node \(id) was removed from swarm"
      #expect(await refusal { _ = try await rig.service.beat(of: id, session: session.id) }?.message == words)
      #expect(await rig.service.refusal(of: id)?.message == words)
      #expect(await rig.service.refusal(of: "m1") == nil)
    }
  }
}

extension NodeService {
  fileprivate func noteLosses(_ count: Int, of node: String) {
    let moment = now().uptime
    monitor.withLock { monitor in
      for _ in 0..<count { monitor.damper.lost(node, at: moment) }
    }
  }
}

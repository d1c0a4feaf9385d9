// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Overlay networks")
struct OverlayTests {
  private static func subnet(_ text: String) throws -> IPv4Subnet { try #require(IPv4Subnet(text)) }

  /// Makes a network in a transaction of its own.
  @discardableResult
  private static func make(
    _ name: String, _ pool: NetworkSpec.Pool = .init(), in cluster: inout SimulatedCluster
  ) throws -> Network {
    let spec = NetworkSpec(name: name, pool: pool)
    var result: Result<Network, SpecError> = .failure(SpecError("not asked"))
    cluster.write { transaction in
      do throws(SpecError) {
        let network = try NetworkAllocator.network(id: "id-\(name)", spec, now: .zero, in: transaction)
        transaction.put(network)
        result = .success(network)
      } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  @Test("get the lowest free subnets beside the ingress pool and the hosts, and numbers of their own")
  func defaults() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.write { transaction in
      guard var node = transaction.node("n1") else { return }
      node.status.addr = "10.1.1.9"
      transaction.put(node)
    }
    var made: [String] = []
    for name in ["a", "b"] {
      let network = try Self.make(name, in: &cluster)
      made.append("\(network.subnet) \(network.gateway) \(network.tunnel)")
    }
    #expect(made == ["10.1.0.0/24 10.1.0.1 4097", "10.1.2.0/24 10.1.2.1 4098"])
    cluster.write { $0.removeNetwork("id-a") }
    #expect(try Self.make("c", in: &cluster).subnet == Self.subnet("10.1.0.0/24"))
  }

  @Test("get what is asked for")
  func asked() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    let network = try Self.make("a", .init(subnet: "172.20.0.0/16", range: "172.20.5.0/24", gateway: "172.20.9.9"), in: &cluster)
    #expect(network.subnet.description == "172.20.0.0/16" && network.range.description == "172.20.5.0/24")
    #expect(network.gateway.description == "172.20.9.9")
  }

  @Test(
    "that cannot be are refused, with what is in the way",
    arguments: [
      ("x", nil, nil, "rpc error: code = InvalidArgument desc = ipam configuration: invalid subnet x"),
      ("10.5.0.0/24", "y", nil, "rpc error: code = InvalidArgument desc = ipam configuration: invalid range y"),
      ("10.5.0.0/24", nil, "z", "rpc error: code = InvalidArgument desc = ipam configuration: invalid gateway z"),
      (
        "10.5.0.0/24", "10.6.0.0/28", nil,
        "rpc error: code = InvalidArgument desc = ipam configuration: subnet 10.5.0.0/24 does not contain range 10.6.0.0/28"
      ),
      (
        "10.5.0.0/24", nil, "10.6.0.1",
        "rpc error: code = InvalidArgument desc = ipam configuration: subnet 10.5.0.0/24 does not contain gateway 10.6.0.1"
      ),
      (
        "10.0.7.0/24", nil, nil,
        "invalid pool request: Pool overlaps with other one on this address space: 10.0.7.0/24 with 10.0.0.0/16 of network ingress"
      ),
      (
        "10.1.0.0/16", nil, nil,
        "invalid pool request: Pool overlaps with other one on this address space: 10.1.0.0/16 with 10.1.0.0/24 of network first"
      ),
    ] as [(String, String?, String?, String)])
  func refused(subnet: String, range: String?, gateway: String?, message: String) throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    try Self.make("first", in: &cluster)
    let error = #expect(throws: SpecError.self) {
      try Self.make("a", .init(subnet: subnet, range: range, gateway: gateway), in: &cluster)
    }
    #expect(error?.message == message)
    #expect(cluster.store.networks.keys.sorted() == ["id-first"])
  }

  @Test("a service has an address on each, its tasks too, and nobody has another's")
  func addresses() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    try Self.make("front", in: &cluster)
    try Self.make("back", in: &cluster)
    cluster.create(replicas: 3) { $0.taskTemplate.networks = [.init(target: "id-back"), .init(target: "id-front")] }
    cluster.run(for: .seconds(5))
    let service = try #require(cluster.store.services["id-web"]?.endpoint?.virtualIPs)
    #expect(service.map { "\($0.networkID) \($0.address)" } == ["id-back 10.1.1.2", "id-front 10.1.0.2"])
    let given = cluster.live.map { $0.addresses.map { "\($0.address)" }.joined(separator: " ") }.sorted()
    #expect(given == ["10.1.1.3 10.1.0.3", "10.1.1.4 10.1.0.4", "10.1.1.5 10.1.0.5"])
  }

  @Test("what was released is given again only when all others have been, and never while it is somebody's")
  func release() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    try Self.make("small", .init(subnet: "10.9.0.0/29"), in: &cluster)
    cluster.create(replicas: 2) { spec in
      spec.taskTemplate.networks = [.init(target: "id-small")]
      spec.restart = RestartPolicy(delay: 1)
    }
    cluster.run(for: .seconds(5))
    var seen: [String] = []
    for _ in 1...5 {
      cluster.crash(slot: 1)
      cluster.run(for: .seconds(5))
      seen.append(cluster.live.filter { $0.slot == 1 }.map { "\($0.addresses[0].address)" }.joined())
    }
    // 1 is the gateway's, 2 the service's, 4 the other task's, 7 for broadcasts.
    #expect(seen == ["10.9.0.5", "10.9.0.6", "10.9.0.3", "10.9.0.5", "10.9.0.6"])
  }

  @Test("an update gives new tasks new addresses, though the service's own is older")
  func update() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    try Self.make("back", in: &cluster)
    cluster.create { $0.taskTemplate.networks = [.init(target: "id-back")] }
    cluster.run(for: .seconds(20))
    var seen: [String] = []
    for number in 1...3 {
      cluster.write { transaction in
        guard var service = transaction.service("id-web") else { return }
        service.spec.taskTemplate.forceUpdate = UInt64(number)
        service.updatedAt = Timestamp(nanoseconds: 4_000_000_000_000_000_000)
        transaction.put(service)
      }
      cluster.run(for: .seconds(60))
      seen += cluster.live.flatMap { $0.addresses.map { "\($0.address)" } }
    }
    #expect(seen == ["10.1.0.4", "10.1.0.5", "10.1.0.6"])
  }

  @Test("without a free address a task waits, says so, and has the next one that is free")
  func exhausted() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    try Self.make("tiny", .init(subnet: "10.9.0.0/30"), in: &cluster)
    cluster.create(replicas: 2) { spec in
      spec.endpointSpec = EndpointSpec(mode: "dnsrr")
      spec.taskTemplate.networks = [.init(target: "id-tiny")]
    }
    cluster.run(for: .seconds(5))
    #expect(cluster.live.count == 1)
    #expect(cluster.tasks.filter { $0.state == .pending }.map(\.status.err) == ["no free address on network tiny"])
    cluster.update { $0.mode = .replicated(1) }
    cluster.run(for: .seconds(20))
    cluster.update { $0.mode = .replicated(2) }
    cluster.crash(slot: 1)
    cluster.run(for: .seconds(20))
    #expect(cluster.live.count == 1)
  }
}

@Suite("Containers that users put on overlay networks")
struct AttachmentTests {
  private var cluster = SimulatedCluster(seed: 1, nodes: 2)

  init() {
    for (name, isAttachable) in [("open", true), ("shut", false)] {
      cluster.write { transaction in
        let spec = NetworkSpec(name: name, isAttachable: isAttachable)
        let network = try? NetworkAllocator.network(id: "id-\(name)", spec, now: .zero, in: transaction)
        if let network { transaction.put(network) }
      }
    }
  }

  /// The address, or the refusal.
  private mutating func attach(
    _ container: String, to network: String = "open", node: String = "n1", _ address: String? = nil, at seconds: Int64 = 0
  ) -> String {
    var said = ""
    let now = Timestamp(nanoseconds: seconds * 1_000_000_000)
    cluster.write { transaction in
      do throws(SpecError) {
        let attachment = try Attachments.attach(
          container, to: network, node: node, address: address.flatMap { IPv4Address($0) }, aliases: ["alias"], now: now,
          in: &transaction)
        said = "\(attachment.address)"
      } catch {
        said = error.message
      }
    }
    return said
  }

  private mutating func report(_ names: [String: [String]], at seconds: Int64) {
    let now = Timestamp(nanoseconds: seconds * 1_000_000_000)
    cluster.write {
      Attachments.report(names, networks: names.mapValues { _ in ["id-open"] }, of: "n1", now: now, in: &$0)
    }
  }

  @Test("have an address, the same when they ask again, or the one they ask for if nobody has it")
  mutating func addresses() {
    let given = [
      attach("a"), attach("b"), attach("a"), attach("c", node: "n2", "10.1.0.9"), attach("d", to: "id-open", "10.1.0.9"),
      attach("e", "10.1.0.1"), attach("f", to: "shut"), attach("g", to: "none"),
    ]
    #expect(
      given == [
        "10.1.0.2", "10.1.0.3", "10.1.0.2", "10.1.0.9",
        "rpc error: code = FailedPrecondition desc = address 10.1.0.9 is not free on network open",
        "rpc error: code = FailedPrecondition desc = address 10.1.0.1 is not free on network open",
        "rpc error: code = PermissionDenied desc = network shut not manually attachable",
        "rpc error: code = NotFound desc = network none not found",
      ])
    #expect(OverlayNetworks.ids(ofNode: "n1", in: cluster.store) == ["id-open"])
    let endpoints = OverlayNetworks.network("id-open", in: cluster.store)?.endpoints ?? []
    #expect(
      endpoints.map { "\($0.id) \($0.nodeID) \($0.address) \($0.names)" } == [
        #"a n1 10.1.0.2 ["alias"]"#, #"b n1 10.1.0.3 ["alias"]"#, #"c n2 10.1.0.9 ["alias"]"#,
      ])
  }

  @Test("keep it for as long as their node tells of them, and a while if it never has")
  mutating func reports() {
    _ = [attach("a"), attach("b"), attach("c", node: "n2")]
    report(["a": ["web", "0123"]], at: 100)
    let endpoints = OverlayNetworks.network("id-open", in: cluster.store)?.endpoints ?? []
    #expect(endpoints.map(\.names) == [["web", "0123", "alias"], ["alias"], ["alias"]])
    report(["a": ["web", "0123"]], at: 121)
    #expect(cluster.store.attachments.keys.sorted() == ["a@id-open", "c@id-open"])
    report([:], at: 122)
    #expect(cluster.store.attachments.keys.sorted() == ["c@id-open"])
  }

  @Test("one whose image was not there gets the address it asked for when it is made again")
  mutating func again() {
    #expect([attach("a", "10.1.0.7"), attach("b", "10.1.0.7")] == ["10.1.0.7", "10.1.0.7"])
    report(["b": ["web"]], at: 1)
    #expect(attach("c", "10.1.0.7").hasSuffix("is not free on network open"))
  }
}

@Suite("What a node is told of an overlay network")
struct OverlayNetworksTests {
  @Test("who is on it, and what its services' names mean: ready tasks alone, those that drain no more")
  func content() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    cluster.write { transaction in
      let spec = NetworkSpec(name: "back", labels: ["a": "b"], isInternal: true)
      if let network = try? NetworkAllocator.network(id: "net", spec, now: .zero, in: transaction) { transaction.put(network) }
    }
    cluster.create(replicas: 2) { spec in
      spec.labels = [Labels.strategy: "random"]
      spec.taskTemplate.networks = [.init(target: "net", aliases: ["w", "web"])]
    }
    #expect(OverlayNetworks.network("net", in: cluster.store)?.services.map(\.endpoints) == [[]])
    cluster.run(for: .seconds(30))
    let network = try #require(OverlayNetworks.network("net", in: cluster.store))
    #expect(network.name == "back" && network.isInternal && network.labels == ["a": "b"] && network.tunnel == 4_097)
    let tasks = cluster.tasks
    #expect(network.endpoints.map(\.id) == tasks.map(\.id) && network.endpoints.map(\.nodeID) == tasks.map(\.nodeID))
    #expect(network.endpoints.map { $0.names[0] } == tasks.map(\.name))
    let service = try #require(network.services.first)
    #expect(service.names == ["web", "w"] && service.strategy == .random && service.virtualIP?.description == "10.1.0.2")
    #expect(service.endpoints == network.endpoints.map(\.address))
    cluster.write { transaction in
      guard var task = transaction.task(tasks[0].id) else { return }
      task.drain = .init(desiredState: .shutdown)
      transaction.put(task)
    }
    let later = try #require(OverlayNetworks.network("net", in: cluster.store))
    #expect(later.services.map(\.endpoints) == [[network.endpoints[1].address]] && later.endpoints.count >= 2)
    #expect(OverlayNetworks.network("none", in: cluster.store) == nil)
  }
}

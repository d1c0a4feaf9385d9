// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import ClusterStore

@Suite("The cluster store")
struct ClusterStoreTests {
  static let template = TaskTemplate(
    key: .init(serviceID: "s1", specVersion: 1), serviceName: "web", serviceLabels: ["a": "b"],
    spec: TaskSpec(containerSpec: ContainerSpec(image: "nginx")),
    endpointSpec: EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: 8080)]),
    ports: [PortConfig(targetPort: 80, publishedPort: 8080)])

  static func task(_ id: String, slot: Int = 1, node: String = "") -> ClusterTask {
    var task = ClusterTask(
      id: id, template: template, slot: slot, nodeID: node, desiredState: .running,
      status: TaskStatus(state: .pending, timestamp: Timestamp(nanoseconds: 7), message: "pending task scheduling"),
      createdAt: Timestamp(nanoseconds: 5))
    task.ingressAddress = IPv4Address("10.0.0.9")
    task.drain = .init(desiredState: .remove)
    task.genericResources = [.named("gpu", "a"), .discrete("fpga", 3)]
    task.isEvicted = true
    task.status.hostPorts = [PortConfig(targetPort: 1, publishedPort: 2, protocol: "udp", publishMode: "host")]
    return task
  }

  static let service = Service(id: "s1", spec: ServiceSpec(name: "Web"), createdAt: Timestamp(nanoseconds: 1))

  /// Applies one transaction at the next version and keeps the records beside, as a backend would.
  struct Rig {
    var store = ClusterStore(version: 100)
    var records: [String: StoredRecord] = [:]
    var revision: UInt64 = 0

    mutating func write(_ body: (inout Transaction) throws -> Void) throws {
      var transaction = Transaction(over: store)
      try body(&transaction)
      for proposal in try transaction.batchedProposals() {
        revision += 1
        for write in proposal.writes {
          records[write.key] = write.value.map { StoredRecord(key: write.key, value: $0, revision: revision) }
        }
        store.apply(proposal, version: 100 + revision)
      }
    }

    func reloaded() throws -> ClusterStore {
      try ClusterStore(loading: StoreSnapshot(epochBase: 100, revision: revision, records: Array(records.values)))
    }
  }

  @Test("a transaction sees its own writes, the store sees them once applied")
  func overlay() throws {
    var rig = Rig()
    try rig.write { transaction in
      transaction.put(Self.service)
      transaction.put(Self.task("t1", node: "n1"))
      #expect(transaction.service(named: "WEB")?.id == "s1")
      #expect(transaction.tasks(ofService: "s1").map(\.id) == ["t1"])
      #expect(transaction.tasks(onNode: "n1").map(\.id) == ["t1"])
      transaction.removeTask("t1")
      #expect(transaction.tasks(ofService: "s1").isEmpty)
      transaction.put(Self.task("t2"))
    }
    #expect(rig.store.service(named: "web")?.version == 101)
    #expect(rig.store.tasks.keys.sorted() == ["t2"])
  }

  @Test("a task as releases before wrote it is still read")
  func formerRecord() throws {
    var task = Self.task("t1", node: "n1")
    task.genericResources = []
    task.isEvicted = false
    let bytes = TaskRecord.encode(task)
    #expect(bytes.first == 4 && bytes.suffix(4) == [0, 0, 0, 0])
    for (format, missing) in [(UInt8(1), 4), (2, 2), (3, 1)] {
      let former = [format] + bytes.dropFirst().dropLast(missing)
      #expect(try TaskRecord.decode(former, id: "t1", template: Self.template) == task)
    }
  }

  @Test("what was written is read back to the last field after a reload")
  func reload() throws {
    var rig = Rig()
    try rig.write { transaction in
      var node = Node(
        id: "n1", spec: NodeSpec(labels: ["x": "y"], role: "manager", availability: "active"),
        status: NodeStatus(state: .ready, addr: "1.2.3.4"), createdAt: Timestamp(nanoseconds: 3))
      node.ingressSubnet = IPv4Subnet("10.0.1.0/24")
      node.dataPathAddr = "192.0.2.7"
      node.description = NodeDescription(
        hostname: "h", platform: .init(architecture: "x86_64", os: "linux"),
        resources: .init(nanoCPUs: 2, memoryBytes: 3, genericResources: [.named("gpu", "a")]),
        engine: .init(engineVersion: "20.10", labels: [:], plugins: [.init(type: "Log", name: "json-file")]))
      transaction.put(node)
      let subnet = IPv4Subnet(base: IPv4Address(bits: 0x0A01_0000), prefix: 24)
      transaction.put(
        Network(
          id: "net", spec: NetworkSpec(name: "back", labels: ["a": "b"], options: ["o": "p"], isAttachable: true),
          createdAt: Timestamp(nanoseconds: 4), tunnel: 4_097, subnet: subnet, gateway: subnet.gateway, range: subnet))
      var service = Self.service
      service.updateStatus = .init(state: .rollbackStarted, startedAt: Timestamp(nanoseconds: 9), message: "m")
      service.endpoint = .init(
        spec: EndpointSpec(mode: "vip"), ports: [PortConfig(targetPort: 80, publishedPort: 30_000)],
        virtualIPs: [NetworkAddress(networkID: "net", address: IPv4Address(bits: subnet.base.bits + 2))])
      transaction.put(service)
      var task = Self.task("t1", node: "n1")
      task.addresses = [NetworkAddress(networkID: "net", address: IPv4Address(bits: subnet.base.bits + 3))]
      transaction.put(task)
      var job = Service(id: "s2", spec: ServiceSpec(name: "job", mode: .job(3, atOnce: 2)), createdAt: .zero)
      job.beginRun(at: Timestamp(nanoseconds: 1))
      job.beginRun(at: Timestamp(nanoseconds: 2))
      transaction.put(job)
      transaction.put(
        ClusterTask(
          id: "t2", template: Self.template, slot: 1, desiredState: .complete,
          status: TaskStatus(state: .complete, timestamp: .zero, message: "finished"), jobIteration: 1, createdAt: .zero))
    }
    let reloaded = try rig.reloaded()
    #expect(reloaded.services["s2"]?.jobStatus?.iteration == 1)
    #expect(reloaded.tasks["t2"]?.jobIteration == 1 && reloaded.tasks["t1"]?.jobIteration == nil)
    #expect(reloaded.nodes == rig.store.nodes)
    #expect(reloaded.services == rig.store.services)
    #expect(reloaded.tasks == rig.store.tasks)
    #expect(reloaded.networks == rig.store.networks)
    let network = try #require(reloaded.networks["net"])
    #expect(reloaded.addresses["net"].next(in: network)?.description == "10.1.0.4")
    #expect(reloaded.tasks["t1"]?.template.part == Self.template.part)
    #expect(reloaded.version == rig.store.version)
  }

  @Test("secrets and configs come back with their labels of today, and their data is written once")
  func payloads() throws {
    var rig = Rig()
    // The largest there is, sealed, which still fits into a transaction.
    let data = Sealed(bytes: [UInt8](repeating: 7, count: 1_000 << 10))
    var secret = Payload(
      .secret, id: "p1", spec: PayloadSpec(name: "key", labels: ["a": "b"]), data: Sealed(bytes: [1, 255]),
      createdAt: Timestamp(nanoseconds: 5))
    let templating = PayloadSpec.Driver(name: "golang")
    let config = Payload(
      .config, id: "p2", spec: PayloadSpec(name: "conf", templating: templating), data: data, createdAt: .zero)
    try rig.write { $0.put(secret) }
    try rig.write { $0.put(config) }
    secret.spec.labels = ["a": "c"]
    secret.updatedAt = Timestamp(nanoseconds: 6)
    var transaction = Transaction(over: rig.store)
    transaction.put(secret)
    #expect(try transaction.atomicProposal().writes.map(\.key) == ["secret/p1/spec"])
    try rig.write { $0.put(secret) }
    #expect(try rig.reloaded().payloads == rig.store.payloads)
    #expect(rig.store.payloads["p1"]?.spec.labels == ["a": "c"])
    #expect(rig.store.payloads["p1"]?.version == rig.store.version)
    try rig.write { transaction in
      #expect(transaction.payloads(.secret).map(\.id) == ["p1"])
      transaction.removePayload("p1")
      #expect(transaction.payload("p1") == nil && transaction.payloads(.secret).isEmpty)
    }
    #expect(try rig.reloaded().payloads.keys.sorted() == ["p2"])
    #expect(rig.records.keys.filter { $0.hasPrefix("secret/") } == [])
  }

  @Test("a secret whose data is lost stops the load")
  func lostPayload() throws {
    var rig = Rig()
    try rig.write { transaction in
      transaction.put(
        Payload(.secret, id: "p1", spec: PayloadSpec(name: "key"), data: Sealed(bytes: [1]), createdAt: .zero))
    }
    rig.records["secret/p1/data"] = nil
    #expect(throws: RecordError("record secret/p1/spec cannot be read: its data is missing")) { try rig.reloaded() }
  }

  @Test("credentials are stored with the spec, the previous one and the template, and are in no spec's JSON")
  func credentials() throws {
    var rig = Rig()
    let (new, old) = (Sealed(bytes: [1, 2, 250]), Sealed(bytes: [3]))
    var spec = Self.template.spec
    spec.registryAuth = new
    let template = TaskTemplate(
      key: Self.template.key, serviceName: "web", serviceLabels: [:], spec: spec, endpointSpec: nil, ports: [])
    var service = Service(spec: spec)
    service.previousSpec = service.spec
    service.previousSpec?.taskTemplate.registryAuth = old
    try rig.write { transaction in
      transaction.put(service)
      transaction.put(
        ClusterTask(
          id: "t1", template: template, slot: 1, desiredState: .running,
          status: TaskStatus(state: .pending, timestamp: .zero, message: ""), createdAt: .zero))
    }
    let reloaded = try rig.reloaded()
    #expect(reloaded.services == rig.store.services)
    #expect(reloaded.services["s1"]?.spec.taskTemplate.registryAuth == new)
    #expect(reloaded.services["s1"]?.previousSpec?.taskTemplate.registryAuth == old)
    #expect(reloaded.tasks["t1"]?.template.spec == spec)
    #expect(try GoJSONEncoder().encode(service.spec) == GoJSONEncoder().encode(Service(spec: Self.template.spec).spec))

    try rig.write { transaction in
      var service = try #require(transaction.service("s1"))
      service.spec.taskTemplate.registryAuth = nil
      transaction.put(service)
    }
    #expect(rig.store.services["s1"]?.version == 102, "a change of credentials alone is a new version of the spec")
    #expect(try rig.reloaded().services == rig.store.services)
  }

  @Test("a status write leaves the version that users pass alone")
  func versions() throws {
    var rig = Rig()
    try rig.write { $0.put(Self.service) }
    try rig.write { transaction in
      var service = try #require(transaction.service("s1"))
      service.endpoint = .init(spec: EndpointSpec(), ports: [])
      transaction.put(service)
    }
    #expect(rig.store.services["s1"]?.version == 101)
    #expect(rig.store.version == 102)
    #expect(try rig.reloaded().services["s1"]?.version == 101)
  }

  @Test("tasks of one spec version share one record of it, which goes with the last of them")
  func templates() throws {
    var rig = Rig()
    try rig.write { transaction in for slot in 1...3 { transaction.put(Self.task("t\(slot)", slot: slot)) } }
    #expect(rig.records.keys.filter { $0.hasPrefix("template/") } == ["template/s1/1"])
    try rig.write { transaction in for slot in 1...2 { transaction.removeTask("t\(slot)") } }
    #expect(rig.records.keys.sorted() == ["task/t3", "template/s1/1"])
    try rig.write { $0.removeTask("t3") }
    #expect(rig.records.isEmpty)
  }

  @Test("a write that changes nothing is no write")
  func noChange() throws {
    var rig = Rig()
    try rig.write { $0.put(Self.task("t1")) }
    let version = rig.store.version
    try rig.write { transaction in try transaction.put(#require(transaction.task("t1"))) }
    #expect(rig.store.version == version)
  }

  @Test("a batch is cut into transactions of 64 objects; one transaction of more is refused")
  func limits() throws {
    var batch = Transaction(over: ClusterStore())
    for slot in 1...150 { batch.put(Self.task("t\(slot)", slot: slot)) }
    #expect(try batch.batchedProposals().map(\.changes.count) == [64, 64, 22])
    var single = Transaction(over: ClusterStore())
    for slot in 1...65 { single.put(Self.task("t\(slot)", slot: slot)) }
    #expect(throws: TransactionLimit.Exceeded.self) { try single.atomicProposal() }
  }

  @Test("a record cut short or damaged is an error that names it", arguments: [0, 1, 5, 20])
  func damage(length: Int) throws {
    var rig = Rig()
    try rig.write { $0.put(Self.task("t1")) }
    rig.records["task/t1"]?.value.removeSubrange(length...)
    do {
      _ = try rig.reloaded()
      Issue.record("loaded a damaged record")
    } catch { #expect("\(error)".hasPrefix("record task/t1 cannot be read: ")) }
  }

  @Test("a task's record is small")
  func compact() {
    #expect(TaskRecord.encode(Self.task("t1", node: String(repeating: "n", count: 25))).count < 120)
  }
}

/// What lists are made from: it must follow every write, and be the same after a restart.
@Suite("The store's indexes")
struct StoreIndexTests {
  private static func service(_ id: String) -> Service {
    Service(id: id, spec: ServiceSpec(name: "name-\(id)"), createdAt: Timestamp(nanoseconds: 1))
  }

  @Test("services are in the order of their ids, each with the version of its last write, whichever part it wrote")
  func services() throws {
    var rig = ClusterStoreTests.Rig()
    for id in ["b", "c", "a"] { try rig.write { $0.put(Self.service(id)) } }
    try rig.write { transaction in
      var service = try #require(transaction.service("b"))
      service.endpoint = .init(spec: EndpointSpec(), ports: [])
      transaction.put(service)
    }
    try rig.write { $0.removeService("c") }
    let expected = [ServiceIndex.Entry(id: "a", writtenAt: 103), .init(id: "b", writtenAt: 104)]
    #expect(rig.store.serviceIndex.entries == expected)
    #expect(try rig.reloaded().serviceIndex.entries == expected)
    #expect(rig.store.serviceIndex["b"]?.writtenAt == 104 && rig.store.serviceIndex["c"] == nil)
  }

  @Test("tasks are counted as they come, change and go")
  func counts() throws {
    var rig = ClusterStoreTests.Rig()
    func counts() -> [Int] {
      let counts = rig.store.taskCounts(ofService: "s1")
      return [counts.running, counts.desiredRunning]
    }
    try rig.write { transaction in for slot in 1...3 { transaction.put(ClusterStoreTests.task("t\(slot)", slot: slot)) } }
    #expect(counts() == [0, 3])
    try rig.write { transaction in
      for id in ["t1", "t2"] {
        var task = try #require(transaction.task(id))
        task.status.state = .running
        transaction.put(task)
      }
    }
    #expect(counts() == [2, 3])
    try rig.write { transaction in
      var task = try #require(transaction.task("t1"))
      task.desiredState = .shutdown
      transaction.put(task)
      transaction.removeTask("t2")
    }
    #expect(counts() == [1, 1])
    let reloaded = try rig.reloaded()
    #expect(reloaded.taskCounts(ofService: "s1") == rig.store.taskCounts(ofService: "s1"))
    try rig.write { transaction in for id in ["t1", "t3"] { transaction.removeTask(id) } }
    #expect(counts() == [0, 0])
  }
}

extension StoreIndexTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 17 ^ state << 31
    }
  }

  /// Asks for one of three ports and perhaps was given another, with one of three addresses.
  private static func published(_ id: String, _ generator: inout Generator) -> Service {
    func port(_ generator: inout Generator) -> PortConfig {
      PortConfig(
        targetPort: 80, publishedPort: .random(in: 0...3, using: &generator),
        protocol: ["tcp", "udp"].randomElement(using: &generator))
    }
    var service = service(id)
    service.spec.endpointSpec = EndpointSpec(ports: [port(&generator)])
    if Bool.random(using: &generator) {
      let address = IPv4Address(bits: .random(in: 1...3, using: &generator))
      service.endpoint = .init(spec: EndpointSpec(), ports: [port(&generator)], virtualIP: address)
    }
    return service
  }

  /// By a look at every service.
  private static func publishers(of port: PublishedPort, among services: [Service]) -> Set<String> {
    Set(
      services.filter { service in
        ((service.spec.endpointSpec?.ports ?? []) + (service.endpoint?.ports ?? [])).contains { PublishedPort($0) == port }
      }.map(\.id))
  }

  private static func check(_ transaction: Transaction) {
    for number in UInt32(1)...3 {
      for transport in ["tcp", "udp"] {
        let port = PublishedPort(transport: transport, number: number)
        let publishers = publishers(of: port, among: transaction.services)
        #expect(transaction.serviceIDs(publishing: port) == publishers)
        for id in ["s1", "s9"] {
          #expect(transaction.isPublished(port, besides: id) == !publishers.subtracting([id]).isEmpty)
        }
      }
      let address = IPv4Address(bits: number)
      #expect(transaction.isTaken(address) == transaction.services.contains { $0.endpoint?.virtualIP == address })
    }
  }

  @Test(
    "who publishes a port and which addresses are taken is known in the middle of a transaction, after it, and after a restart")
  func publications() throws {
    var generator = Generator(state: 1)
    var rig = ClusterStoreTests.Rig()
    for _ in 0..<200 {
      try rig.write { transaction in
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          let id = "s\(Int.random(in: 1...5, using: &generator))"
          if Int.random(in: 0..<3, using: &generator) == 0 {
            transaction.removeService(id)
          } else {
            transaction.put(Self.published(id, &generator))
          }
          Self.check(transaction)
        }
      }
      Self.check(Transaction(over: rig.store))
    }
    Self.check(Transaction(over: try rig.reloaded()))
  }
}

extension Service {
  fileprivate init(spec: TaskSpec) {
    self.init(id: "s1", spec: ServiceSpec(name: "Web", taskTemplate: spec), createdAt: Timestamp(nanoseconds: 1))
  }
}

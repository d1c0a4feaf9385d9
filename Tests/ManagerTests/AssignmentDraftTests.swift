// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import ClusterStore
import Orchestration
import Testing

@testable import Manager

@Suite("A node's assignment, kept up to date")
struct AssignmentDraftTests {
  private struct Rig {
    var store = ClusterStore(version: 1)
    var draft: AssignmentDraft
    let views = SharedViews()
    var generator = Generator()

    struct Generator: RandomNumberGenerator {
      var state: UInt64 = 1
      mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 17 ^ state << 31
      }
    }

    init() throws {
      var transaction = Transaction(over: store)
      transaction.put(
        Cluster(
          id: "c1", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "", manager: ""), trustRoot: "",
          defaultAddrPool: [], subnetSize: 24, dataPathPort: 4_789,
          ingressPool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16)))
      for proposal in try transaction.batchedProposals() { store.apply(proposal, version: 2) }
      let news = try #require(AssignmentDraft.News(of: "n1", in: store, since: nil))
      draft = AssignmentDraft(news)
      views.keep()
      let isNew = draft.take(news)
      #expect(!isNew)
    }

    /// A few random writes; whether they made another assignment.
    mutating func write() throws -> Bool {
      var dirty = DirtySet()
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        var transaction = Transaction(over: store)
        writeOne(&transaction)
        for proposal in try transaction.batchedProposals() {
          dirty.insert(proposal.changes, before: store)
          store.apply(proposal, version: store.version + 1)
        }
      }
      views.forget(dirty)
      let news = try #require(AssignmentDraft.News(of: "n1", in: store, since: dirty, known: draft, views: views))
      return draft.take(news)
    }

    private mutating func writeOne(_ transaction: inout Transaction) {
      let service = "s\(Int.random(in: 1...4, using: &generator))"
      let task = "t\(service)\(Int.random(in: 1...3, using: &generator))"
      switch Int.random(in: 0..<12, using: &generator) {
      case 0: transaction.removeService(service)
      case 1: transaction.removeTask(task)
      case 2:
        let number = UInt32.random(in: 1...3, using: &generator)
        let address = ["", "fd00::1", "10.77.0.\(number)", "10.77.1.\(number)"].randomElement(using: &generator) ?? ""
        var node = Node(
          id: "n\(number)", spec: NodeSpec(role: "worker", availability: "active"),
          status: NodeStatus(state: .ready, addr: address), createdAt: .zero)
        node.ingressSubnet = IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000 + number << 8), prefix: 24)
        transaction.put(node)
      case 3, 4: transaction.put(published(service))
      case 5: transaction.removeNetwork("net\(Int.random(in: 1...2, using: &generator))")
      case 6: transaction.put(network(Int.random(in: 1...2, using: &generator)))
      case 7: transaction.removePayload("p\(Int.random(in: 1...3, using: &generator))")
      case 8: transaction.put(payload(Int.random(in: 1...3, using: &generator)))
      default: transaction.put(ready(task, of: service))
      }
    }

    private mutating func published(_ id: String) -> Service {
      let ports = [PortConfig(targetPort: 80, publishedPort: UInt32.random(in: 8_000...8_003, using: &generator))]
      var service = Service(id: id, spec: ServiceSpec(name: id), createdAt: .zero)
      service.spec.taskTemplate.networks = [.init(target: "net1"), .init(target: "net2")]
      let isPublished = Bool.random(using: &generator)
      service.endpoint = .init(spec: EndpointSpec(ports: ports), ports: isPublished ? ports : [], virtualIPs: addresses(1))
      return service
    }

    private mutating func network(_ number: Int) -> Network {
      let subnet = IPv4Subnet(base: IPv4Address(bits: 0x0A01_0000 + UInt32(number) << 8), prefix: 24)
      let spec = NetworkSpec(name: "net\(number)", isInternal: Bool.random(using: &generator))
      return Network(
        id: "net\(number)", spec: spec, createdAt: .zero, tunnel: UInt32(number), subnet: subnet, gateway: subnet.gateway,
        range: subnet)
    }

    private mutating func addresses(_ number: UInt32) -> [NetworkAddress] {
      (1...2).filter { _ in Bool.random(using: &generator) }.map {
        NetworkAddress(networkID: "net\($0)", address: IPv4Address(bits: 0x0A01_0000 + UInt32($0) << 8 + 10 * number))
      }
    }

    private mutating func payload(_ number: Int) -> Payload {
      let spec = PayloadSpec(name: "p\(number)", labels: Bool.random(using: &generator) ? ["a": "b"] : [:])
      return Payload(
        number == 1 ? .secret : .config, id: "p\(number)", spec: spec, data: Sealed(bytes: [UInt8(number)]), createdAt: .zero)
    }

    private mutating func container() -> ContainerSpec {
      var spec = ContainerSpec(image: "a")
      if Bool.random(using: &generator) { spec.secrets = [SecretReference(id: "p1", name: "p1", file: FileTarget(name: "a"))] }
      spec.configs = (2...3).filter { _ in Bool.random(using: &generator) }.map {
        ConfigReference(id: "p\($0)", name: "p\($0)", file: FileTarget(name: "a"))
      }
      return spec
    }

    private mutating func ready(_ id: String, of service: String) -> ClusterTask {
      let template = TaskTemplate(
        key: .init(serviceID: service, specVersion: 1), serviceName: service, serviceLabels: [:],
        spec: TaskSpec(containerSpec: container()),
        endpointSpec: nil, ports: [PortConfig(targetPort: 80, publishedPort: 8_000)])
      var task = ClusterTask(
        id: id, template: template, slot: 1, nodeID: "n\(id.last ?? "1")", desiredState: .running,
        status: TaskStatus(
          state: Int.random(in: 0..<5, using: &generator) == 0 ? .failed : .running, timestamp: .zero, message: "",
          isReady: Bool.random(using: &generator)),
        createdAt: .zero)
      task.ingressAddress = IPv4Address(bits: 0x0A00_0002)
      task.addresses = addresses(2)
      if Bool.random(using: &generator) { task.drain = .init(desiredState: .shutdown) }
      return task
    }

    /// Nodes that have an IPv4 address, if the node itself has one.
    var mesh: Set<String> {
      let nodes = store.nodes.values.filter { IPv4Address($0.status.addr) != nil }.map(\.id)
      return nodes.contains("n1") ? Set(nodes) : []
    }

    /// Those that tasks of the node are on.
    var networks: [OverlayNetwork] {
      let ids = Set(store.tasks(onNode: "n1").filter { !$0.state.isTerminal }.flatMap { $0.addresses.map(\.networkID) })
      return ids.sorted().compactMap { OverlayNetworks.network($0, in: store) }
    }

    /// Those that tasks of the node which have not ended need, as far as they are there.
    var payloads: [AssignedPayload] {
      let specs = store.tasks(onNode: "n1").filter { !$0.state.isTerminal }.compactMap(\.template.spec.containerSpec)
      let ids = Set(specs.flatMap { ($0.secrets ?? []).map(\.secretID) + ($0.configs ?? []).map(\.configID) })
      return ids.sorted().compactMap { store.payloads[$0] }.map { AssignedPayload($0) }
    }

    /// All published ports, with the endpoints that are on the node or can be reached from it.
    var listeners: [Listener] {
      EndpointTables.listeners(of: store).map { listener in
        var listener = listener
        listener.endpoints.removeAll { !mesh.union(["n1"]).contains(store.tasks[$0.id]?.nodeID ?? "") }
        return listener
      }
    }
  }

  @Test("after every change it is what it would be if it were made anew, and says whether it is another one")
  func incremental() throws {
    var rig = try Rig()
    var numberOfNew = 0
    for _ in 0..<2_000 {
      let before = rig.draft.assignment
      let isNew = try rig.write()
      let found = rig.draft.assignment
      #expect(found.tasks == rig.store.tasks(onNode: "n1"))
      #expect(found.ingressSubnet == rig.store.nodes["n1"]?.ingressSubnet)
      #expect(found.mesh?.nodeIDs ?? [] == rig.mesh)
      #expect(found.mesh == Meshes.mesh(ofNode: "n1", in: rig.store))
      try #require(found.table.listeners == rig.listeners)
      try #require(found.networks == rig.networks)
      try #require(found.payloads == rig.payloads)
      let isTableNew = found.table.listeners != before.table.listeners || found.networks != before.networks
      #expect(found.table.generation == (isTableNew ? rig.store.version : before.table.generation))
      let isMeshNew = found.mesh != before.mesh || found.ingressSubnet != before.ingressSubnet
      #expect(isNew == (isTableNew || found.tasks != before.tasks || found.payloads != before.payloads || isMeshNew))
      numberOfNew += isNew ? 1 : 0
    }
    #expect((200..<1_900).contains(numberOfNew))
  }
}

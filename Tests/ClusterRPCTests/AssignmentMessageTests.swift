// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Testing

@testable import ClusterRPC

/// The same numbers each time, for a failure that can be seen again.
private struct Numbers: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state
  }
}

/// A node's assignment that changes by chance.
private struct Changing {
  var numbers: Numbers
  var assignment = Assignment(
    clusterID: "c", nodeID: "n", term: 1, tasks: [], ingressSubnet: nil, table: EndpointTable(generation: 1))
  private var made = 0

  init(seed: UInt64) { numbers = Numbers(state: seed) }

  static func template(_ number: Int, auth: Sealed? = nil) -> TaskTemplate {
    var spec = TaskSpec()
    spec.registryAuth = auth
    return TaskTemplate(
      key: .init(serviceID: "s\(number)", specVersion: UInt64(1) << 40 + UInt64(number)), serviceName: "web\(number)",
      serviceLabels: ["a": "b"], spec: spec, endpointSpec: nil, ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
  }

  mutating func change() {
    switch Int.random(in: 0..<7, using: &numbers) {
    case 0, 1: add()
    case 2: if !assignment.tasks.isEmpty { assignment.tasks.remove(at: index()) }
    case 3: if !assignment.tasks.isEmpty { assignment.tasks[index()].desiredState = .shutdown }
    case 4: changeNetworks()
    case 5: assignment.mesh = assignment.mesh == nil ? mesh() : nil
    default:
      assignment.table.generation += 1
      assignment.table.listeners = [Listener(id: "s/80/tcp", port: UInt16.random(in: 1...9_999, using: &numbers))]
      assignment.ingressSubnet = IPv4Subnet("10.0.\(Int.random(in: 0...255, using: &numbers)).0/24")
    }
  }

  private mutating func changeNetworks() {
    let number = Int.random(in: 0..<4, using: &numbers)
    if let known = assignment.networks.firstIndex(where: { $0.id == "net\(number)" }) {
      if Bool.random(using: &numbers) { assignment.networks.remove(at: known) } else { assignment.networks[known].services = [] }
      return
    }
    let base = IPv4Address(bits: 0x0A00_0100 + UInt32(number) << 8)
    let service = OverlayService(
      id: "s", names: ["web"], virtualIP: IPv4Address(bits: base.bits + 2), strategy: .random, endpoints: [])
    assignment.networks.append(
      OverlayNetwork(
        id: "net\(number)", name: "n\(number)", tunnel: 4097, subnet: IPv4Subnet(base: base, prefix: 24), gateway: base,
        endpoints: [OverlayEndpoint(id: "t", names: ["web.1"], address: base, nodeID: "n")], services: [service]))
    assignment.networks.sort { $0.id < $1.id }
  }

  private mutating func mesh() -> Mesh {
    let pool = IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16)
    let address = IPv4Address(bits: UInt32.random(in: 1...9, using: &numbers))
    return Mesh(own: Peer(nodeID: "n", number: 1, address: address, subnet: pool), peers: [], pool: pool, port: 4789)
  }

  private mutating func index() -> Int { Int.random(in: 0..<assignment.tasks.count, using: &numbers) }

  private mutating func add() {
    made += 1
    let template = Self.template(Int.random(in: 0..<4, using: &numbers))
    var task = ClusterTask(
      id: "t\(made)", template: template, slot: made, nodeID: "n", desiredState: .running,
      status: TaskStatus(state: .running, timestamp: Timestamp(nanoseconds: 1), message: "started", containerID: "x", pid: 7),
      createdAt: Timestamp(nanoseconds: Int64(made)))
    task.ingressAddress = IPv4Address("10.0.0.9")
    task.genericResources = [.discrete("gpu", 2)]
    task.version = 1 << 50 + UInt64(made)
    assignment.tasks.append(task)
  }
}

@Suite("Assignments on their way")
struct AssignmentMessageTests {
  private struct Unexpected: Error {}

  /// Through the bytes that go over the wire.
  private func sent(_ message: AssignmentMessage) throws -> AssignmentMessage {
    try GoJSONDecoder().decode(AssignmentMessage.self, from: try GoJSONEncoder().bytes(message))
  }

  @Test("differences add up to what was complete, whatever is skipped between them", arguments: [1, 2, 3, 4] as [UInt64])
  func differences(seed: UInt64) throws {
    var changing = Changing(seed: seed)
    var (assembler, last) = (AssignmentAssembler(), Assignment?.none)
    for sequence in 1...200 {
      for _ in 0..<Int.random(in: 0...3, using: &changing.numbers) { changing.change() }
      let message = try sent(AssignmentMessage(changing.assignment, after: last, sequence: Int64(sequence)) { _ in nil })
      let received = try assembler.take(message) { _, _ in throw Unexpected() }
      try #require(received.tasks == changing.assignment.tasks)
      try #require(received.table == changing.assignment.table)
      try #require(received.ingressSubnet == changing.assignment.ingressSubnet)
      try #require(received.mesh == changing.assignment.mesh)
      try #require(received.networks == changing.assignment.networks)
      last = changing.assignment
    }
  }

  @Test("a difference carries what changed and nothing else")
  func size() throws {
    var changing = Changing(seed: 7)
    for _ in 0..<500 { changing.change() }
    let before = changing.assignment
    changing.assignment.tasks[3].desiredState = .remove
    let message = AssignmentMessage(changing.assignment, after: before, sequence: 2) { _ in nil }
    #expect(message.tasks?.map(\.id) == [changing.assignment.tasks[3].id])
    #expect(message.templates == [] && message.removed == [] && message.table == nil)
  }

  @Test("a message that does not follow the one before is refused")
  func gap() throws {
    var changing = Changing(seed: 8)
    for _ in 0..<20 { changing.change() }
    var assembler = AssignmentAssembler()
    let first = AssignmentMessage(changing.assignment, after: nil, sequence: 1) { _ in nil }
    _ = try assembler.take(first) { _, _ in throw Unexpected() }
    let third = AssignmentMessage(changing.assignment, after: changing.assignment, sequence: 3) { _ in nil }
    #expect(throws: AssignmentAssembler.Gap.self) { try assembler.take(third) { _, _ in throw Unexpected() } }
  }

  @Test("secrets and configs travel open, once, are sealed by the node, and are in no file of it")
  func payloads() throws {
    let secret = AssignedPayload(kind: .secret, id: "p1", name: "key", templating: "golang", data: Sealed(bytes: [1]))
    let config = AssignedPayload(kind: .config, id: "p2", name: "conf", data: Sealed(bytes: [2]))
    let lost = AssignedPayload(kind: .config, id: "p3", name: "lost", data: Sealed(bytes: [3]))
    var assignment = Assignment(
      clusterID: "c", nodeID: "n", term: 1, tasks: [], ingressSubnet: nil, table: EndpointTable(generation: 0),
      payloads: [secret, config, lost])
    let open: (AssignedPayload) -> [UInt8]? = { $0.id == "p3" ? nil : Array("open \($0.name)".utf8) }
    let first = try sent(AssignmentMessage(assignment, after: nil, sequence: 1, openPayload: open) { _ in nil })
    var assembler = AssignmentAssembler()
    let seal: ([UInt8], PayloadKind, String) -> Sealed = { Sealed(bytes: Array("\($1) \($2) ".utf8) + $0) }
    let received = try assembler.take(first, sealPayload: seal) { _, _ in throw Unexpected() }
    #expect(received.payloads.map(\.id) == ["p1", "p2"])
    #expect(received.payloads[0].templating == "golang" && received.payloads[1].templating == nil)
    #expect(
      received.payloads.map { String(decoding: $0.data.bytes, as: UTF8.self) } == ["secret p1 open key", "config p2 open conf"])
    #expect(try Assignment(stored: received.stored()).payloads == [])

    let before = assignment
    assignment.payloads = [config]
    let second = try sent(AssignmentMessage(assignment, after: before, sequence: 2, openPayload: open) { _ in nil })
    #expect(second.payloads == nil)
    #expect(try assembler.take(second) { _, _ in throw Unexpected() }.payloads.map(\.id) == ["p2"])
  }

  @Test("credentials are open on the wire only: a node seals them, and its file has them sealed")
  func credentials() throws {
    let sealed = Sealed(bytes: [1, 2, 3])
    let own = Sealed(bytes: [9])
    let task = ClusterTask(
      id: "t", template: Changing.template(1, auth: sealed), slot: 1, nodeID: "n", desiredState: .running,
      status: TaskStatus(state: .assigned, timestamp: .zero, message: ""), createdAt: .zero)
    let assignment = Assignment(
      clusterID: "c", nodeID: "n", term: 1, tasks: [task], ingressSubnet: nil, table: EndpointTable(generation: 0))
    let message = try sent(
      AssignmentMessage(assignment, after: nil, sequence: 1) { $0.spec.registryAuth == sealed ? "secret" : nil })
    var assembler = AssignmentAssembler()
    let received = try assembler.take(message) { auth, service in
      #expect(auth == "secret" && service == "s1")
      return own
    }
    #expect(received.tasks.first?.template.spec.registryAuth == own)
    let bytes = try received.stored()
    #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
    let read = try Assignment(stored: bytes)
    #expect(read.tasks.first?.template.spec.registryAuth == own)
    #expect(read.tasks == received.tasks)
  }
}

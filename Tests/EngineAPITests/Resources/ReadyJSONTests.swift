// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

/// Answers are put together of JSON that is kept ready. Whatever is written, they are those of an API that keeps nothing.
@Suite("JSON that is kept ready")
struct ReadyJSONTests {
  private static let lists = ["/services", "/services?status=true", "/services?filters={\"name\":[\"web\"]}", "/tasks"]

  private struct Write: CustomTestStringConvertible {
    let testDescription: String
    let body: @Sendable (inout Transaction) throws -> Void
    init(_ description: String, _ body: @escaping @Sendable (inout Transaction) throws -> Void) {
      (testDescription, self.body) = (description, body)
    }
  }

  private static func change(_ body: @escaping @Sendable (inout Service) -> Void) -> @Sendable (inout Transaction) throws -> Void
  {
    { transaction in
      var service = try #require(transaction.service(named: "web"))
      body(&service)
      transaction.put(service)
    }
  }

  private static func changeTask(_ body: @escaping @Sendable (inout ClusterTask) -> Void)
    -> @Sendable (inout Transaction) throws -> Void
  {
    { transaction in
      var task = try #require(transaction.task("t1"))
      body(&task)
      transaction.put(task)
    }
  }

  private static let writes = [
    Write("a new spec", change { $0.spec.labels["a"] = "b" }),
    Write("another number of replicas", change { $0.spec.mode = .replicated(7) }),
    Write(
      "ports and an address",
      change {
        let ports = [PortConfig(targetPort: 80, publishedPort: 8_080)]
        $0.endpoint = .init(spec: EndpointSpec(ports: ports), ports: ports, virtualIP: IPv4Address("10.0.255.254"))
      }),
    Write("an update's progress", change { $0.updateStatus = .init(state: .updating, startedAt: SwarmRig.time, message: "m") }),
    Write("a previous spec", change { $0.previousSpec = $0.spec }),
    Write("a task's state", changeTask { $0.status.state = .failed }),
    Write("a task's desired state", changeTask { $0.desiredState = .shutdown }),
    Write("a task's address", changeTask { $0.ingressAddress = IPv4Address("10.0.1.9") }),
    Write(
      "a node's part of the ingress network",
      { transaction in
        var node = try #require(transaction.node("n1"))
        node.ingressSubnet = IPv4Subnet("10.0.1.0/25")
        transaction.put(node)
      }),
    Write(
      "the ingress network",
      { transaction in
        var cluster = try #require(transaction.cluster)
        cluster.ingressPool = IPv4Subnet(base: IPv4Address(bits: 0x0A0A_0000), prefix: 20)
        transaction.put(cluster)
      }),
    Write("a task's end", { $0.removeTask("t1") }),
    Write("a service's end", { transaction in transaction.removeService(try #require(transaction.service(named: "db")).id) }),
    Write(
      "another service of the same name",
      { transaction in
        let old = try #require(transaction.service(named: "web"))
        transaction.removeService(old.id)
        transaction.put(Service(id: "aaaaaaaaaaaaaaaaaaaaaaaaa", spec: old.spec, createdAt: SwarmRig.time))
      }),
  ]

  @Test("an answer shows every write that came before it")
  func everyWrite() async throws {
    let (rig, web) = try await TaskTests.rig()
    for write in Self.writes {
      var before: [String] = []
      for target in Self.lists { before.append(try await rig.call("GET", target).text) }
      try await rig.store.transaction { try write.body(&$0) }
      let cold = SwarmAPI(control: rig.control, engine: rig.engine, eventLog: EventLog(), now: { SwarmRig.time })
      var isSeen = false
      for (target, earlier) in zip(Self.lists + ["/services/web", "/services/\(web.id)", "/tasks/t1"], before + ["", "", ""]) {
        let warm = try await rig.call("GET", target)
        let expected = try await rig.call("GET", target, api: cold)
        #expect(warm == expected, "\(target) after \(write.testDescription)")
        isSeen = isSeen || (!earlier.isEmpty && warm.text != earlier)
      }
      #expect(isSeen, "no list shows \(write.testDescription)")
    }
  }

  @Test("what is kept of objects that are gone is dropped")
  func bound() throws {
    let ready = ReadyJSON<Int, Int>()
    for id in 0..<10 { _ = ready.value("\(id)", 0) { id } }
    ready.trim(to: 3) { ["7", "8", "9"].contains($0) }
    #expect(ready.count == 3 && ready.value("8", 0) { nil } == 8)
    #expect(ready.value("8", 1) { nil } == nil)
  }
}

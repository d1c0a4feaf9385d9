// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("The scheduler")
struct SchedulerTests {
  private static func service(_ placement: Placement? = nil, reservations: Resources.Reservations? = nil, replicas: UInt64 = 1)
    -> Service
  {
    var spec = ServiceSpec(name: "web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web"), placement: placement))
    spec.mode = .replicated(replicas)
    if let reservations { spec.taskTemplate.resources = Resources(reservations: reservations) }
    return Service(id: "id-web", spec: spec, createdAt: .zero)
  }

  private static func cluster(nodes: Int, labels: [String: String] = [:]) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 1, nodes: nodes)
    cluster.write { transaction in
      for var node in transaction.nodes {
        node.spec.labels["zone"] = labels[node.id]
        transaction.put(node)
      }
    }
    return cluster
  }

  private static func reason(_ cluster: SimulatedCluster) -> [String] {
    cluster.store.tasks(ofService: "id-web").map(\.status.err)
  }

  @Test(
    "a task that fits nowhere says why in swarm's words",
    arguments: [
      (Placement(constraints: ["node.labels.zone==b"]), "no suitable node (scheduling constraints not satisfied on 2 nodes)"),
      (
        Placement(constraints: ["node.id==n1", "node.labels.zone!=a"]),
        "no suitable node (scheduling constraints not satisfied on 2 nodes)"
      ),
    ])
  func constraints(placement: Placement, reason: String) {
    var cluster = Self.cluster(nodes: 2, labels: ["n1": "a"])
    cluster.write { $0.put(Self.service(placement)) }
    #expect(Self.reason(cluster) == [reason])
  }

  @Test("several reasons come with the most frequent first")
  func severalReasons() {
    var cluster = Self.cluster(nodes: 3, labels: ["n1": "a"])
    cluster.write { transaction in
      guard var node = transaction.node("n1") else { return }
      node.spec.availability = "pause"
      transaction.put(node)
      transaction.put(Self.service(Placement(constraints: ["node.labels.zone==a"])))
    }
    let expected = "no suitable node (scheduling constraints not satisfied on 2 nodes; 1 node not available for new tasks)"
    #expect(Self.reason(cluster) == [expected])
  }

  @Test("reservations are kept, and what did not fit is placed when there is room")
  func resources() {
    var cluster = Self.cluster(nodes: 1)
    let reservations = Resources.Reservations(nanoCPUs: 3_000_000_000, memoryBytes: 1 << 20)
    cluster.write { $0.put(Self.service(reservations: reservations, replicas: 3)) }
    cluster.run(for: .seconds(20))
    let waiting = cluster.store.tasks(ofService: "id-web").filter { $0.state == .pending }
    #expect(waiting.map(\.status.err) == ["no suitable node (insufficient resources on 1 node)"])
    cluster.write { $0.put(Self.service(reservations: reservations, replicas: 2)) }
    cluster.run(for: .seconds(40))
    #expect(cluster.store.tasks(ofService: "id-web").map(\.state) == [.running, .running])
  }

  @Test("what did not fit is placed when another service's task has made room, whatever came between")
  func roomOfAnother() {
    func service(_ name: String, _ reservations: Resources.Reservations?, replicas: UInt64 = 1) -> Service {
      var spec = Self.service(reservations: reservations, replicas: replicas).spec
      spec.name = name
      return Service(id: "id-\(name)", spec: spec, createdAt: .zero)
    }
    var cluster = Self.cluster(nodes: 1)
    let most = Resources.Reservations(nanoCPUs: 6_000_000_000)
    cluster.write { $0.put(service("first", most)) }
    cluster.write { $0.put(service("second", most)) }
    cluster.run(for: .seconds(20))
    cluster.write { $0.put(service("between", nil, replicas: 0)) }
    #expect(cluster.store.tasks(ofService: "id-second").map(\.state) == [.pending])
    cluster.write { $0.removeService("id-first") }
    cluster.run(for: .seconds(40))
    #expect(cluster.store.tasks(ofService: "id-second").map(\.state) == [.running])
  }

  @Test("at most so many replicas per node, then it says so")
  func maxReplicas() {
    var cluster = Self.cluster(nodes: 2)
    cluster.write { $0.put(Self.service(Placement(maxReplicas: 1), replicas: 3)) }
    let tasks = cluster.store.tasks(ofService: "id-web")
    #expect(Set(tasks.map(\.nodeID)) == ["n1", "n2", ""])
    #expect(Self.reason(cluster).filter { !$0.isEmpty } == ["no suitable node (max replicas per node limit exceed)"])
  }

  @Test(
    "a spread preference divides tasks evenly over the values of a label, whatever the number of nodes behind each",
    arguments: ["node.labels.zone", "Node.Labels.zone"])
  func spread(descriptor: String) {
    var cluster = Self.cluster(nodes: 4, labels: ["n1": "a", "n2": "a", "n3": "a", "n4": "b"])
    var placement = Placement()
    placement.preferences = [.init(spreadingOver: descriptor)]
    cluster.write { $0.put(Self.service(placement, replicas: 6)) }
    let perNode = Dictionary(grouping: cluster.store.tasks(ofService: "id-web"), by: \.nodeID).mapValues(\.count)
    #expect(perNode == ["n1": 1, "n2": 1, "n3": 1, "n4": 3])
  }

  @Test("a published task needs an address: a full subnet says so")
  func addresses() {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.write { transaction in
      guard var node = transaction.node("n1") else { return }
      node.ingressSubnet = IPv4Subnet("10.0.0.0/29")
      transaction.put(node)
    }
    cluster.write { $0.put(ClusterLifeTests.service("web", replicas: 7)) }
    cluster.run(for: .seconds(20))
    let tasks = cluster.store.tasks(ofService: "id-web")
    #expect(
      Set(tasks.compactMap { $0.ingressAddress?.description }) == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"])
    #expect(
      Self.reason(cluster).filter { !$0.isEmpty }
        == Array(repeating: "no suitable node (no free ingress address on 1 node)", count: 2))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

/// One at a time: each computes without pause, and would take every thread of the pool from tests that wait for something.
@Suite("A simulated cluster", .serialized)
struct ClusterLifeTests {
  static func service(
    _ name: String, replicas: UInt64 = 3, image: String = "web:1", order: String? = nil, parallelism: UInt64 = 1,
    port: UInt32? = 8080
  ) -> Service {
    var spec = ServiceSpec(
      name: name, taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: image)), mode: .replicated(replicas),
      updateConfig: UpdateConfig(parallelism: parallelism, order: order))
    if let port { spec.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: port)]) }
    return Service(id: "id-\(name)", spec: spec, createdAt: .zero)
  }

  static func running(_ cluster: SimulatedCluster, _ id: String) -> [ClusterTask] {
    cluster.store.tasks(ofService: id).filter { $0.state == .running && $0.desiredState == .running && $0.status.isReady }
  }

  @Test("a service of three replicas runs in slots 1 to 3, spread over the nodes, with addresses of their nodes")
  func create() {
    var cluster = SimulatedCluster(seed: 1, nodes: 3)
    cluster.write { $0.put(Self.service("web")) }
    cluster.run(for: .seconds(30))
    let tasks = Self.running(cluster, "id-web")
    #expect(tasks.map(\.slot) == [1, 2, 3])
    #expect(Set(tasks.map(\.nodeID)).count == 3)
    for task in tasks {
      let subnet = cluster.store.nodes[task.nodeID]?.ingressSubnet
      #expect(task.ingressAddress.map { subnet?.contains($0) == true } == true)
    }
    #expect(EndpointTables.listeners(of: cluster.store).map { $0.endpoints.count } == [3])
    #expect(cluster.violations == [])
  }

  @Test("a crashed task is replaced in its slot after the restart delay, not before")
  func crash() throws {
    var cluster = SimulatedCluster(seed: 2, nodes: 1)
    cluster.write { $0.put(Self.service("web")) }
    cluster.run(for: .seconds(30))
    let victim = try #require(Self.running(cluster, "id-web").first { $0.slot == 2 })
    cluster.crash(victim.id)
    cluster.run(for: .milliseconds(4_900))
    let waiting = cluster.store.tasks(ofService: "id-web").filter { $0.slot == 2 && $0.isLive }
    #expect(waiting.map(\.desiredState) == [.ready])
    cluster.run(for: .seconds(10))
    #expect(Self.running(cluster, "id-web").map(\.slot) == [1, 2, 3])
    #expect(cluster.violations == [])
  }

  @Test("what cannot even be prepared is tried once per restart delay, not without pause")
  func rejected() {
    var cluster = SimulatedCluster(seed: 8, nodes: 1)
    cluster.behaviour.prepareFailure = 1
    cluster.write { transaction in
      var cluster = transaction.cluster
      cluster?.spec.orchestration.taskHistoryRetentionLimit = -1
      if let cluster { transaction.put(cluster) }
      transaction.put(Self.service("web", replicas: 1))
    }
    cluster.run(for: .seconds(60))
    let tried = cluster.store.tasks(ofService: "id-web").count
    #expect((8...13).contains(tried), "\(tried) tasks")
    cluster.behaviour.prepareFailure = 0
    cluster.run(for: .seconds(20))
    #expect(Self.running(cluster, "id-web").count == 1)
    #expect(cluster.violations == [])
  }

  @Test("a lost node's tasks run elsewhere without the restart delay")
  func lostNode() {
    var cluster = SimulatedCluster(seed: 3, nodes: 3)
    cluster.write { $0.put(Self.service("web", replicas: 6)) }
    cluster.run(for: .seconds(60))
    cluster.lose("n2")
    cluster.run(for: .milliseconds(4_500))
    let tasks = cluster.store.tasks(ofService: "id-web").filter { $0.isLive }
    #expect(tasks.count == 6)
    #expect(tasks.allSatisfy { $0.nodeID != "n2" && $0.desiredState == .running })
  }

  @Test(
    "an update replaces every task, in both orders, and no listener is ever without a ready endpoint",
    arguments: ["stop-first", "start-first"])
  func update(order: String) {
    var cluster = SimulatedCluster(seed: 4, nodes: 2)
    cluster.write { $0.put(Self.service("web", order: order)) }
    cluster.run(for: .seconds(60))
    cluster.write { transaction in
      guard var service = transaction.service("id-web") else { return }
      service.previousSpec = service.spec
      service.spec.taskTemplate.containerSpec?.image = "web:2"
      service.updateStatus = nil
      transaction.put(service)
    }
    var fewest = Int.max
    for _ in 0..<2_000 where cluster.store.services["id-web"]?.updateStatus?.state != .completed {
      cluster.run(for: .milliseconds(100))
      let ready = EndpointTables.listeners(of: cluster.store)[0].endpoints.filter { $0.state == .ready }
      fewest = min(fewest, ready.count)
    }
    #expect(cluster.store.services["id-web"]?.updateStatus?.state == .completed)
    #expect(fewest == (order == "start-first" ? 3 : 2))
    #expect(Self.running(cluster, "id-web").map { $0.template.spec.containerSpec?.image } == ["web:2", "web:2", "web:2"])
    #expect(cluster.violations == [])
  }

  @Test("an update whose tasks fail pauses with swarm's message, and the rest keeps running")
  func pausedUpdate() {
    var cluster = SimulatedCluster(seed: 5, nodes: 1)
    cluster.write { $0.put(Self.service("web")) }
    cluster.run(for: .seconds(60))
    cluster.behaviour.startFailure = 1
    cluster.write { transaction in
      guard var service = transaction.service("id-web") else { return }
      service.spec.taskTemplate.forceUpdate += 1
      transaction.put(service)
    }
    cluster.run(for: .seconds(60))
    let status = cluster.store.services["id-web"]?.updateStatus
    #expect(status?.state == .paused)
    #expect(status?.message.hasPrefix("update paused due to failure or early termination of task ") == true)
    #expect(Self.running(cluster, "id-web").count == 2)
    #expect(cluster.violations == [])
  }

  @Test("removing a service stops its tasks and forgets them")
  func remove() {
    var cluster = SimulatedCluster(seed: 6, nodes: 2)
    cluster.write { $0.put(Self.service("web", replicas: 5)) }
    cluster.run(for: .seconds(30))
    cluster.write { $0.removeService("id-web") }
    cluster.run(for: .seconds(60))
    #expect(cluster.store.tasks.isEmpty)
    #expect(cluster.nodes.values.allSatisfy { $0.containers.isEmpty })
    #expect(cluster.violations == [])
  }

  @Test("the same seed lives the same life")
  func replay() {
    func life() -> [String] {
      var year = YearOfLife(seed: 11)
      year.live(days: 3)
      return year.cluster.store.tasks.keys.sorted() + ["\(year.cluster.steps)"]
    }
    #expect(life() == life())
  }

  @Test(
    "users, crashes, lost hosts and leader changes break no rule, and it comes to rest as the specs ask",
    arguments: [(365, 21), (30, 22), (30, 23), (30, 24)] as [(Int, UInt64)])
  func life(days: Int, seed: UInt64) {
    var year = YearOfLife(seed: seed)
    year.live(days: days)
    #expect(year.cluster.violations == [], "seed \(seed)")
    #expect(year.events > 14 * days)
    #expect(year.unmetServices() == [], "seed \(seed)")
    #expect(year.cluster.store.tasks.count < 40 * 6)
  }
}

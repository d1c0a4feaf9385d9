// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("A node that changes")
struct EvictionTests {
  private static let rejection = "rejected: task rejected by constraint enforcer: assigned node no longer meets constraints"

  private static func end(_ task: ClusterTask) -> String {
    "\(task.state.name): \(task.status.message): \(task.status.err)"
  }

  private static func zoned(nodes: Int = 2, port: UInt32? = nil, _ body: (inout ServiceSpec) -> Void = { _ in })
    -> SimulatedCluster
  {
    var cluster = SimulatedCluster(seed: 1, nodes: nodes)
    for id in cluster.store.nodes.keys { cluster.change(id) { $0.spec.labels["zone"] = "a" } }
    cluster.create { spec in
      spec.taskTemplate.placement = Placement(constraints: ["node.labels.zone == a"])
      if let port { spec.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: port)]) }
      body(&spec)
    }
    cluster.run(for: .seconds(30))
    return cluster
  }

  @Test("a task whose node lost the label is drained, rejected in swarm's words, and runs elsewhere", arguments: [nil, 8_080])
  func label(port: UInt32?) throws {
    var cluster = Self.zoned(port: port)
    let before = try #require(cluster.live.first)
    cluster.change(before.nodeID) { $0.spec.labels["zone"] = "b" }
    #expect(cluster.store.tasks[before.id]?.state == .running, "first it drains and stops")
    cluster.run(for: .seconds(60))
    let old = try #require(cluster.store.tasks[before.id])
    #expect(Self.end(old) == Self.rejection)
    #expect(cluster.live.map(\.slot) == [1])
    #expect(cluster.live.allSatisfy { $0.nodeID != before.nodeID && $0.id != before.id })
    #expect(cluster.violations == [])
  }

  @Test("where no node matches any more, the replacement says so and waits for the label")
  func pending() throws {
    var cluster = Self.zoned(nodes: 1)
    cluster.change { $0.spec.labels["zone"] = nil }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.isEmpty)
    #expect(cluster.tasks.last?.status.err == "no suitable node (scheduling constraints not satisfied on 1 node)")
    cluster.change { $0.spec.labels["zone"] = "A" }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.count == 1)
  }

  @Test(
    "only an active node evicts, and only for what it no longer satisfies",
    arguments: [("pause", "b", false), ("active", "a", false), ("active", "b", true)])
  func availability(availability: String, zone: String, evicts: Bool) throws {
    var cluster = Self.zoned(nodes: 1)
    cluster.change { node in
      node.spec.availability = availability
      node.spec.labels = ["zone": zone, "other": "x"]
    }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.isEmpty == evicts)
  }

  @Test("a leader that was not there when the node changed finds it out")
  func newLeader() throws {
    var cluster = Self.zoned(nodes: 1)
    cluster.change { node in
      node.spec.availability = "pause"
      node.spec.labels = [:]
    }
    cluster.restartLeader()
    cluster.run(for: .seconds(10))
    #expect(cluster.live.count == 1)
    cluster.change { $0.spec.availability = "active" }
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.map(Self.end).contains(Self.rejection))
  }

  @Test("the service's constraints count, also for tasks made before they were")
  func laterConstraint() throws {
    var cluster = Self.zoned(nodes: 1) { $0.taskTemplate.placement = nil }
    let task = try #require(cluster.live.first)
    cluster.update { $0.taskTemplate.placement = Placement(constraints: ["node.labels.zone == a"]) }
    cluster.run(for: .seconds(30))
    #expect(cluster.live.map(\.id) == [task.id], "its node satisfies the new constraint")
    cluster.change { $0.spec.labels = [:] }
    cluster.run(for: .seconds(30))
    #expect(cluster.live.isEmpty)
  }

  @Test("the restart policy is asked, as for any other end: without restarts the slot stays empty")
  func policy() {
    var cluster = Self.zoned { $0.restart = RestartPolicy(condition: "none") }
    let node = cluster.live.first?.nodeID ?? ""
    cluster.change(node) { $0.spec.labels = [:] }
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.map(Self.end) == [Self.rejection])
  }

  @Test(
    "a node that has less rejects what does not fit any more, the later slots first",
    arguments: [(4, 2), (2, 1), (1, 0)] as [(Int64, Int)])
  func resources(cpus: Int64, fitting: Int) {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.create(replicas: 2) { $0.taskTemplate.resources = Resources(reservations: .init(nanoCPUs: 2_000_000_000)) }
    cluster.run(for: .seconds(30))
    cluster.change { $0.description?.resources.nanoCPUs = cpus * 1_000_000_000 }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.map(\.slot) == Array([1, 2].prefix(fitting)))
    #expect(cluster.tasks.filter { Self.end($0) == Self.rejection }.count == 2 - fitting)
  }

  @Test("a generic resource that is gone takes its task with it, and the replacement gets another")
  func genericResources() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.create { spec in
      spec.taskTemplate.resources = Resources(reservations: .init(genericResources: [.discrete("gpu", 1)]))
    }
    cluster.run(for: .seconds(30))
    #expect(cluster.live.map(\.genericResources) == [[.named("gpu", "n1-0")]])
    cluster.change { $0.description?.resources.genericResources = [.named("gpu", "n1-1"), .named("gpu", "n1-2")] }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.map(\.genericResources) == [[.named("gpu", "n1-1")]])
    #expect(cluster.tasks.filter { Self.end($0) == Self.rejection }.count == 1)
  }

  @Test("global services leave a node that does not match, without a rejection")
  func global() {
    var cluster = Self.zoned(nodes: 2) { $0.mode = .global }
    cluster.change("n1") { $0.spec.labels = [:] }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.map(\.nodeID) == ["n2"])
    #expect(cluster.tasks.filter { $0.nodeID == "n1" }.map(\.state) == [.shutdown])
  }
}

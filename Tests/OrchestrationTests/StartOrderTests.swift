// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("The order in which services start")
struct StartOrderTests {
  private static func put(
    _ name: String, replicas: UInt64, after: String? = nil, stack: String? = nil, in cluster: inout SimulatedCluster
  ) {
    var spec = ServiceSpec(
      name: name, taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web:1")), mode: .replicated(replicas))
    spec.labels[Labels.dependsOn] = after
    spec.labels["com.docker.stack.namespace"] = stack
    cluster.write { $0.put(Service(id: "id-\(name)", spec: spec, createdAt: .zero)) }
  }

  private static func running(_ name: String, in cluster: SimulatedCluster) -> Int {
    cluster.store.tasks(ofService: "id-\(name)").count { $0.state == .running && $0.desiredState == .running }
  }

  private static func waits(_ name: String, in cluster: SimulatedCluster) -> [String] {
    Set(cluster.store.tasks(ofService: "id-\(name)").map(\.status.err)).subtracting([""]).sorted()
  }

  @Test(
    "a service waits, and says for what, until the others have all of their tasks; what has started once waits for nobody",
    arguments: ["db", "db:healthy", "cache, db : healthy"])
  func order(label: String) {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    Self.put("web", replicas: 2, after: label, in: &cluster)
    Self.put("cache", replicas: 0, in: &cluster)
    cluster.run(for: .seconds(30))
    #expect(Self.running("web", in: cluster) == 0)
    #expect(Self.waits("web", in: cluster) == ["waiting for service db, which does not exist"])

    cluster.write { transaction in
      for var node in transaction.nodes.dropFirst() {
        node.spec.availability = "pause"
        transaction.put(node)
      }
    }
    var spec = ServiceSpec(
      name: "db", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "db:1")), mode: .replicated(2))
    spec.taskTemplate.placement = Placement(maxReplicas: 1)
    cluster.write { $0.put(Service(id: "id-db", spec: spec, createdAt: .zero)) }
    cluster.run(for: .seconds(30))
    let state = label.contains("healthy") ? "healthy" : "running"
    #expect(Self.running("db", in: cluster) == 1 && Self.running("web", in: cluster) == 0)
    #expect(Self.waits("web", in: cluster) == ["waiting for service db: 1 of 2 tasks are \(state)"])

    cluster.write { transaction in
      for var node in transaction.nodes {
        node.spec.availability = "active"
        transaction.put(node)
      }
    }
    cluster.run(for: .seconds(60))
    #expect(Self.running("db", in: cluster) == 2 && Self.running("web", in: cluster) == 2)
    #expect(Self.waits("web", in: cluster) == [])

    cluster.write { $0.removeService("id-db") }
    Self.put("web", replicas: 3, after: label, in: &cluster)
    cluster.run(for: .seconds(60))
    #expect(Self.running("web", in: cluster) == 3)
    #expect(cluster.violations == [])
  }

  @Test("those that wait for each other say so, until one of them is let go; a change of leader forgets nobody")
  func cycle() {
    var cluster = SimulatedCluster(seed: 2, nodes: 1)
    Self.put("a", replicas: 1, after: "b", in: &cluster)
    Self.put("b", replicas: 1, after: "a", in: &cluster)
    cluster.run(for: .seconds(30))
    #expect(Self.waits("a", in: cluster) == ["waiting for service b: 0 of 1 tasks are running"])
    #expect(Self.waits("b", in: cluster) == ["waiting for service a: 0 of 1 tasks are running"])
    cluster.restartLeader()
    Self.put("b", replicas: 1, in: &cluster)
    cluster.run(for: .seconds(60))
    #expect(Self.running("a", in: cluster) == 1 && Self.running("b", in: cluster) == 1)
  }

  @Test("in a stack the other is called by its name there")
  func stack() {
    var cluster = SimulatedCluster(seed: 3, nodes: 1)
    Self.put("shop_db", replicas: 1, stack: "shop", in: &cluster)
    Self.put("db", replicas: 2, after: "nobody", in: &cluster)
    Self.put("shop_web", replicas: 1, after: "db", stack: "shop", in: &cluster)
    cluster.run(for: .seconds(60))
    #expect(Self.running("shop_web", in: cluster) == 1)
  }

  @Test("one that waits for a job starts when the job is done")
  func job() {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    Self.put("web", replicas: 1, after: "migrate", in: &cluster)
    let spec = ServiceSpec(
      name: "migrate", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "db:1")), mode: .job(2, atOnce: 1))
    var job = Service(id: "id-migrate", spec: spec, createdAt: .zero)
    job.beginRun(at: .zero)
    cluster.write { [job] in $0.put(job) }
    cluster.run(for: .milliseconds(500))
    #expect(Self.running("web", in: cluster) == 0)
    #expect(Self.waits("web", in: cluster) == ["waiting for job migrate: 0 of 2 tasks are complete"])
    cluster.run(for: .seconds(300))
    #expect(cluster.store.tasks(ofService: "id-migrate").count { $0.state == .complete } == 2)
    #expect(Self.running("web", in: cluster) == 1)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import Orchestration

@Suite("The drain barrier")
struct TrafficDirectorTests {
  /// Two ready nodes and a task on the first of them that is to stop. Versions count commits; the drain is in version 2.
  private struct Rig {
    var store = ClusterStore()
    var director = TrafficDirector()

    init(drainTimeout: String? = nil) throws {
      try write { transaction in
        for id in ["n1", "n2"] {
          transaction.put(
            Node(
              id: id, spec: NodeSpec(role: "worker", availability: "active"), status: NodeStatus(state: .ready, addr: ""),
              createdAt: .zero))
        }
        var spec = ServiceSpec(name: "web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web")))
        if let drainTimeout { spec.labels[Labels.drainTimeout] = drainTimeout }
        transaction.put(Service(id: "s1", spec: spec, createdAt: .zero))
        transaction.put(Self.task)
      }
      try write { $0.stop(Self.task, .shutdown, now: Self.now(0)) }
    }

    private static var task: ClusterTask {
      let template = TaskTemplate(
        key: .init(serviceID: "s1", specVersion: 1), serviceName: "web", serviceLabels: [:],
        spec: TaskSpec(containerSpec: ContainerSpec(image: "web")), endpointSpec: nil,
        ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
      var task = ClusterTask(
        id: "t1", template: template, slot: 1, nodeID: "n1", desiredState: .running,
        status: TaskStatus(state: .running, timestamp: .zero, message: "started"), createdAt: .zero)
      task.ingressAddress = IPv4Address("10.0.0.2")
      return task
    }

    static func now(_ seconds: Double) -> Now { Now(wall: .zero, uptime: .milliseconds(Int64(seconds * 1000))) }

    mutating func write(_ body: (inout Transaction) -> Void) throws {
      var transaction = Transaction(over: store)
      body(&transaction)
      for proposal in try transaction.batchedProposals() { store.apply(proposal, version: store.version + 1) }
    }

    mutating func report(_ node: String, _ generation: UInt64, open: Int? = nil) {
      _ = director.note(nodeID: node, generation: generation, openConnections: open.map { ["t1": $0] } ?? [:])
    }

    /// When to look again, in seconds; `nil` when no drain is left.
    mutating func step(at seconds: Double) throws -> Double? {
      var (director, next) = (director, Duration?.none)
      try write { next = director.advance($0.tasks(ofService: "s1"), transaction: &$0, now: Self.now(seconds)) }
      self.director = director
      return next.map { $0 / .seconds(1) }
    }

    var isStopping: Bool { store.tasks["t1"].map { $0.desiredState == .shutdown && $0.drain == nil } ?? false }
  }

  @Test("waits for every ready node, then for the connections open on the task's, and no longer")
  func life() throws {
    var rig = try Rig()
    #expect(try rig.step(at: 0) == 5)
    rig.report("n1", 2, open: 3)
    rig.report("n2", 1)
    #expect(try rig.step(at: 1) == 5, "n2 has an older table")
    rig.report("n2", 2)
    #expect(try rig.step(at: 2) == 12)
    rig.report("n1", 2, open: 1)
    #expect(try rig.step(at: 8) == 12)
    #expect(!rig.isStopping)
    rig.report("n1", 2, open: 0)
    #expect(try rig.step(at: 9) == nil)
    #expect(rig.isStopping)
    #expect(rig.director.takeWarnings() == [])
  }

  @Test("gives open connections the time of the label", arguments: [(nil, 10.0), ("2s", 2.0), ("0s", 0.0), ("nonsense", 10.0)])
  func timeout(label: String?, seconds: Double) throws {
    var rig = try Rig(drainTimeout: label)
    rig.report("n1", 2, open: 1)
    rig.report("n2", 2)
    if seconds > 0 {
      #expect(try rig.step(at: 1) == 1 + seconds)
      #expect(try rig.step(at: 0.9 + seconds) == 1 + seconds)
      #expect(!rig.isStopping)
    }
    #expect(try rig.step(at: 1 + seconds) == nil)
    #expect(rig.isStopping)
  }

  @Test("goes on after 5 s without a node that does not answer, and names it")
  func silent() throws {
    var rig = try Rig()
    rig.report("n1", 9, open: 0)
    #expect(try rig.step(at: 1) == 6)
    #expect(try rig.step(at: 5.9) == 6)
    #expect(!rig.isStopping)
    #expect(try rig.step(at: 6) == nil)
    #expect(rig.isStopping)
    #expect(rig.director.takeWarnings() == ["web.1.t1 is stopped although these nodes may still send it connections: n2"])
  }

  @Test("of a service that was removed waits for the nodes, not for open connections")
  func removed() throws {
    var rig = try Rig()
    try rig.write { $0.removeService("s1") }
    rig.report("n1", 3, open: 7)
    #expect(try rig.step(at: 0) == 5)
    #expect(!rig.isStopping)
    rig.report("n2", 3)
    #expect(try rig.step(at: 0.1) == nil)
    #expect(rig.isStopping)
  }

  @Test("is over with the task or its node", arguments: [true, false])
  func ended(byNode: Bool) throws {
    var rig = try Rig()
    #expect(try rig.step(at: 0) == 5)
    try rig.write { transaction in
      if byNode, var node = transaction.node("n1") {
        node.status.state = .down
        transaction.put(node)
      } else if var task = transaction.task("t1") {
        task.status.state = .failed
        transaction.put(task)
      }
    }
    #expect(try rig.step(at: 1) == nil)
    #expect(rig.isStopping)
  }

  @Test("begins anew under another leader")
  func leader() throws {
    var rig = try Rig()
    rig.report("n1", 2, open: 1)
    rig.report("n2", 2)
    #expect(try rig.step(at: 1) == 11)
    rig.director = TrafficDirector()
    #expect(try rig.step(at: 2) == 7)
    rig.report("n1", 2, open: 1)
    rig.report("n2", 2)
    #expect(try rig.step(at: 3) == 13)
    #expect(!rig.isStopping)
  }
}

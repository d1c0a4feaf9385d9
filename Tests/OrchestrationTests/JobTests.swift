// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

/// One at a time, as each computes without pause.
@Suite("Jobs", .serialized)
struct JobTests {
  /// Ten completions, three at a time, unless told otherwise; their tasks work until a test ends them when `isLong`.
  private static func cluster(
    nodes: Int = 2, isLong: Bool = false, _ mode: ServiceMode = .job(10, atOnce: 3), policy: RestartPolicy? = nil
  ) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 1, nodes: nodes)
    if isLong { cluster.behaviour.job = 1e7...1e7 }
    cluster.create {
      $0.mode = mode
      $0.restart = policy
    }
    return cluster
  }

  @Test("run every slot to its end once, so many at a time, and then nothing more")
  func run() {
    var cluster = Self.cluster()
    var most = 0
    for _ in 0..<3_000 {
      cluster.run(for: .milliseconds(100))
      most = max(most, cluster.tasks.filter(\.isLive).count)
    }
    #expect(most == 3)
    #expect(cluster.tasks.map(\.shownSlot) == Array(0..<10))
    #expect(cluster.tasks.allSatisfy { $0.state == .complete && $0.desiredState == .complete && $0.jobIteration == 0 })
    #expect(cluster.jobCounts.completed == 10 && cluster.jobCounts.unfinished == 0)
    #expect(cluster.updateStatus == nil)
    #expect(cluster.violations == [])
  }

  @Test("begin nothing when none may run at a time, or none is asked for", arguments: [(10, 0), (0, 3)] as [(UInt64, UInt64)])
  func nothing(total: UInt64, atOnce: UInt64) {
    var cluster = Self.cluster(.job(total, atOnce: atOnce))
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.isEmpty)
  }

  @Test(
    "try again what failed as the policy says, and never what completed",
    arguments: [
      (nil, 0, false), (nil, 1, true), ("any", 0, false), ("any", 1, true), ("on-failure", 0, false), ("on-failure", 1, true),
      ("none", 0, false), ("none", 1, false),
    ])
  func condition(condition: String?, exitCode: Int, restarts: Bool) throws {
    var cluster = Self.cluster(isLong: true, .job(3, atOnce: 1), policy: RestartPolicy(condition: condition))
    cluster.run(for: .seconds(20))
    let first = try #require(cluster.tasks.first)
    #expect(cluster.tasks.map(\.state) == [.running] && first.desiredState == .complete)
    cluster.crash(first.id, exitCode: exitCode)
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.filter { $0.slot == 1 }.count == (restarts ? 2 : 1))
    // What is not tried again makes room for the next.
    #expect(cluster.tasks.filter { $0.state == .running }.map(\.slot) == [restarts ? 1 : 2])
    #expect(cluster.store.tasks[first.id]?.desiredState == (exitCode == 0 ? .complete : .shutdown))
  }

  @Test("whose tasks all fail try each slot as often as they may, also under a new leader, and rest", arguments: [false, true])
  func attempts(changesLeader: Bool) {
    var cluster = Self.cluster(.job(3, atOnce: 2), policy: RestartPolicy(delay: 0, maxAttempts: 2))
    cluster.behaviour.jobFailure = 1
    for _ in 0..<20 {
      cluster.run(for: .seconds(60))
      if changesLeader { cluster.restartLeader() }
    }
    for slot in 1...3 { #expect(cluster.tasks.filter { $0.slot == slot }.map(\.state) == [.failed, .failed, .failed]) }
    #expect(cluster.jobCounts.completed == 0)
    #expect(cluster.violations == [])
  }

  @Test("are begun anew by every update: what is left of the run before stops first, and what ended is history")
  func update() {
    var cluster = Self.cluster(isLong: true)
    cluster.run(for: .seconds(20))
    let completed = cluster.tasks.filter { $0.slot == 1 }.map(\.id)
    for id in completed { cluster.crash(id, exitCode: 0) }
    cluster.run(for: .seconds(20))
    let stopped = cluster.tasks.filter(\.isLive).map(\.id)
    #expect(stopped.count == 3)
    cluster.behaviour.job = 1...60
    cluster.update { $0.labels["a"] = "b" }
    for _ in 0..<3_000 {
      cluster.run(for: .milliseconds(100))
      let unfinished = cluster.tasks.filter { !$0.state.isTerminal && $0.state >= .assigned }
      #expect(unfinished.count <= 3)
    }
    #expect(cluster.tasks.filter { $0.jobIteration == 0 }.map(\.id) == completed)
    #expect(cluster.tasks.filter { $0.jobIteration == 1 && $0.state == .complete }.map(\.slot) == Array(1...10))
    #expect(Set(stopped).isDisjoint(with: cluster.tasks.map(\.id)))
    #expect(cluster.updateStatus == nil)
    #expect(cluster.violations == [])
  }

  @Test("failed for good are run again by an update, and a rollback is another run too")
  func spent() {
    var cluster = Self.cluster(.job(2, atOnce: 2), policy: RestartPolicy(condition: "none"))
    cluster.behaviour.jobFailure = 1
    cluster.run(for: .seconds(120))
    #expect(cluster.tasks.map(\.state) == [.failed, .failed])
    cluster.behaviour.jobFailure = 0
    cluster.update { $0.taskTemplate.forceUpdate += 1 }
    cluster.run(for: .seconds(120))
    #expect(cluster.jobCounts.completed == 2)
    cluster.behaviour.jobFailure = 1
    cluster.write { transaction in
      guard var service = transaction.service("id-web"), let previous = service.previousSpec else { return }
      service.spec = previous
      service.updateStatus = .init(state: .rollbackStarted, startedAt: .zero, message: "manually requested rollback")
      service.beginRun(at: .zero)
      transaction.put(service)
    }
    cluster.run(for: .seconds(600))
    #expect(cluster.tasks.filter { $0.jobIteration == 2 }.map(\.state) == [.failed, .failed])
  }

  @Test("on a lost node go on elsewhere at once")
  func lostNode() throws {
    var cluster = Self.cluster(isLong: true)
    cluster.run(for: .seconds(20))
    let node = try #require(cluster.tasks.first?.nodeID)
    cluster.lose(node)
    cluster.run(for: .milliseconds(4_500))
    let live = cluster.tasks.filter(\.isLive)
    #expect(live.count == 3 && live.allSatisfy { $0.nodeID != node && $0.desiredState == .complete })
    cluster.bringBack(node)
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.filter(\.isLive).map(\.id) == live.map(\.id))
    #expect(cluster.violations == [])
  }

  @Test("that a lost node had completed all the same are done: what took their place is stopped, and no slot counts twice")
  func lateCompletion() throws {
    var cluster = Self.cluster(isLong: true, .job(1, atOnce: 1))
    cluster.run(for: .seconds(20))
    let first = try #require(cluster.tasks.first)
    cluster.lose(first.nodeID)
    cluster.run(for: .seconds(20))
    let second = try #require(cluster.tasks.last)
    #expect(second.id != first.id && second.state == .running)
    let wall = cluster.now.wall
    cluster.write { transaction in
      guard var task = transaction.task(first.id) else { return }
      _ = task.report(TaskStatus(state: .complete, timestamp: wall, message: "finished"), at: wall)
      transaction.put(task)
    }
    #expect(cluster.store.tasks[second.id]?.desiredState == .shutdown)
    cluster.keepHistory(0)
    cluster.run(for: .seconds(120))
    #expect(cluster.jobCounts.completed == 1)
    #expect(cluster.tasks.contains { $0.state == .complete } && !cluster.tasks.contains(where: \.isLive))
  }

  @Test("that are global run once on every node that fits, on those that join, and on a drained one when it is back")
  func global() {
    var cluster = Self.cluster(nodes: 3, .globalJob)
    cluster.change("n3") { $0.spec.availability = "drain" }
    cluster.change("n2") { $0.spec.labels["zone"] = "y" }
    cluster.update { $0.taskTemplate.placement = Placement(constraints: ["node.labels.zone != y"]) }
    cluster.run(for: .seconds(120))
    #expect(cluster.tasks.map(\.nodeID) == ["n1"] && cluster.tasks.map(\.jobIteration) == [1])
    cluster.change("n3") { $0.spec.availability = "active" }
    cluster.run(for: .seconds(120))
    cluster.change("n2") { $0.spec.labels["zone"] = "x" }
    cluster.run(for: .seconds(120))
    #expect(cluster.tasks.map(\.nodeID).sorted() == ["n1", "n2", "n3"])
    #expect(cluster.tasks.allSatisfy { $0.state == .complete && $0.slot == 0 })
    cluster.update { $0.taskTemplate.forceUpdate += 1 }
    cluster.run(for: .seconds(120))
    #expect(cluster.tasks.map(\.jobIteration) == [2, 2, 2])
    #expect(cluster.jobCounts.completed == 3)
    #expect(cluster.violations == [])
  }

  @Test("that are global stop on a node that is drained, and begin there anew")
  func drained() {
    var cluster = Self.cluster(nodes: 1, isLong: true, .globalJob)
    cluster.run(for: .seconds(20))
    cluster.change { $0.spec.availability = "drain" }
    cluster.run(for: .seconds(20))
    #expect(cluster.tasks.map(\.state) == [.shutdown])
    cluster.behaviour.job = 1...2
    cluster.change { $0.spec.availability = "active" }
    cluster.run(for: .seconds(30))
    #expect(cluster.tasks.map(\.state) == [.shutdown, .complete])
  }

  @Test(
    "keep so many tasks of a slot as the history holds, and always what completed last", arguments: [(5, 5), (0, 1), (-1, 8)])
  func history(limit: Int64, kept: Int) {
    var cluster = Self.cluster(.job(2, atOnce: 2))
    cluster.keepHistory(limit)
    cluster.run(for: .seconds(120))
    for _ in 0..<7 {
      cluster.update { $0.taskTemplate.forceUpdate += 1 }
      cluster.run(for: .seconds(120))
    }
    for slot in 1...2 { #expect(cluster.tasks.filter { $0.slot == slot }.count == kept) }
    #expect(cluster.jobCounts.completed == 2)
  }

  @Test("that are removed are stopped and forgotten")
  func remove() {
    var cluster = Self.cluster()
    cluster.run(for: .seconds(30))
    cluster.write { $0.removeService("id-web") }
    cluster.run(for: .seconds(60))
    #expect(cluster.store.tasks.isEmpty)
    #expect(cluster.nodes.values.allSatisfy { $0.containers.isEmpty })
  }

  @Test("stand in the table of their published port while they run")
  func traffic() {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.behaviour.job = 60...60
    cluster.create {
      $0.mode = .job(1, atOnce: 1)
      $0.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
    }
    cluster.run(for: .seconds(20))
    #expect(EndpointTables.listeners(of: cluster.store).map(\.endpoints.count) == [1])
    cluster.run(for: .seconds(60))
    #expect(EndpointTables.listeners(of: cluster.store).map(\.endpoints.count) == [0])
  }
}

extension SimulatedCluster {
  fileprivate var jobCounts: JobCounts {
    store.jobCounts(ofService: "id-web", iteration: store.services["id-web"]?.jobIteration ?? 0)
  }
}

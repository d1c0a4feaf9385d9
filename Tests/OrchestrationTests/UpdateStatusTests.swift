// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("The status of an update")
struct UpdateStatusTests {
  private static func cluster(
    nodes: Int = 1, replicas: UInt64 = 3, _ config: UpdateConfig? = nil, _ body: (inout ServiceSpec) -> Void = { _ in }
  ) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 1, nodes: nodes)
    cluster.create(replicas: replicas) { spec in
      spec.updateConfig = config
      body(&spec)
    }
    cluster.run(for: .seconds(30))
    return cluster
  }

  private static func image(_ number: Int) -> (inout ServiceSpec) -> Void {
    { $0.taskTemplate.containerSpec?.image = "web:\(number)" }
  }

  /// The states that were seen until nothing changed for a minute, with their messages; task ids left out.
  private static func story(_ cluster: inout SimulatedCluster) -> [String] {
    var seen: [String] = []
    for _ in 0..<1_200 {
      let status = cluster.updateStatus
      let message = status?.message.split(separator: " ").map { $0.count == 25 ? "ID" : String($0) }.joined(separator: " ") ?? ""
      let line = "\(status?.state.rawValue ?? "none"): \(message)"
      if seen.last != line { seen.append(line) }
      cluster.run(for: .milliseconds(100))
    }
    return seen
  }

  @Test("is there from the first step of an update, keeps its start, and ends with the monitor time")
  func completed() throws {
    var cluster = Self.cluster()
    #expect(cluster.updateStatus == nil, "a first deployment is no update")
    cluster.update(Self.image(2))
    let began = try #require(cluster.updateStatus)
    #expect(began.completedAt == nil)
    #expect(Self.story(&cluster) == ["updating: update in progress", "completed: update completed"])
    let ended = try #require(cluster.updateStatus)
    #expect(ended.startedAt == began.startedAt)
    let lastMade = try #require(cluster.live.map(\.createdAt).max())
    #expect(try #require(ended.completedAt) - lastMade >= .seconds(5))
  }

  @Test(
    "is none where no task is touched",
    arguments: [
      { $0.labels["a"] = "b" }, { $0.updateConfig = UpdateConfig(parallelism: 2) }, { $0.mode = .replicated(5) },
      { $0.taskTemplate.placement = Placement(constraints: ["node.id != n9"]) }, { $0.endpointSpec = EndpointSpec(mode: "vip") },
      { _ in },
    ] as [@Sendable (inout ServiceSpec) -> Void])
  func untouched(change: @Sendable (inout ServiceSpec) -> Void) {
    var cluster = Self.cluster()
    let before = Set(cluster.live.map(\.id))
    cluster.update(change)
    #expect(Self.story(&cluster) == ["none: "])
    #expect(before.isSubset(of: cluster.live.map(\.id)))
  }

  @Test(
    "tells failures as the failure action says",
    arguments: [
      (nil, ["paused: update paused due to failure or early termination of task ID"]),
      ("pause", ["paused: update paused due to failure or early termination of task ID"]),
      ("continue", ["completed: update completed"]),
      (
        "rollback",
        [
          "rollback_started: update rolled back due to failure or early termination of task ID",
          "rollback_paused: rollback paused due to failure or early termination of task ID",
        ]
      ),
    ] as [(String?, [String])], ["stop-first", "start-first"])
  func failures(action: (String?, [String]), order: String) {
    var cluster = Self.cluster(UpdateConfig(parallelism: 1, failureAction: action.0, order: order))
    cluster.behaviour.startFailure = 1
    cluster.update(Self.image(2))
    var expected = ["updating: update in progress"] + action.1
    // Where the old tasks were never stopped there is nothing to roll back that could fail.
    if action.0 == "rollback", order == "start-first" { expected[2] = "rollback_completed: rollback completed" }
    #expect(Self.story(&cluster) == expected)
    #expect(cluster.live.count == (order == "start-first" ? 3 : action.0 == "continue" ? 0 : 2))
    #expect(cluster.violations == [])
  }

  @Test("a task that never starts is tried once per restart delay beside the one it is to replace")
  func noTightLoop() {
    var cluster = Self.cluster(replicas: 1, UpdateConfig(failureAction: "continue", order: "start-first"))
    cluster.keepHistory(-1)
    cluster.behaviour.startFailure = 1
    cluster.update(Self.image(2))
    cluster.run(for: .seconds(60))
    #expect((7...13).contains(cluster.tasks.count), "\(cluster.tasks.count) tasks")
    cluster.behaviour.startFailure = 0
    cluster.run(for: .seconds(60))
    #expect(cluster.live.map { $0.template.spec.containerSpec?.image } == ["web:2"])
  }

  @Test("says why new tasks are not placed, as long as they are not", arguments: ["stop-first", "start-first"])
  func unplaced(order: String) {
    var cluster = Self.cluster(UpdateConfig(order: order))
    cluster.update {
      Self.image(2)(&$0)
      $0.taskTemplate.placement = Placement(constraints: ["node.labels.disk == fast"])
    }
    let reason = "no suitable node (scheduling constraints not satisfied on 1 node)"
    #expect(Self.story(&cluster) == ["updating: update in progress: \(reason)"])
    cluster.change { $0.spec.labels["disk"] = "fast" }
    #expect(Self.story(&cluster) == ["updating: update in progress", "completed: update completed"])
    #expect(cluster.violations == [])
  }

  @Test("an automatic rollback forgets the previous spec and keeps the start; what was not yet replaced is left alone")
  func rollback() throws {
    var cluster = Self.cluster(UpdateConfig(failureAction: "rollback"))
    let before = cluster.live
    cluster.behaviour.startFailure = 1
    cluster.update(Self.image(2))
    let start = cluster.updateStatus?.startedAt
    for _ in 0..<300 where cluster.updateStatus?.state == .updating { cluster.run(for: .milliseconds(100)) }
    #expect(cluster.updateStatus?.startedAt == start)
    cluster.behaviour.startFailure = 0
    #expect(Self.story(&cluster).last == "rollback_completed: rollback completed")
    let service = try #require(cluster.store.services["id-web"])
    #expect(service.previousSpec == nil)
    #expect(service.spec.taskTemplate.containerSpec?.image == "web:1")
    #expect(Set(before.map(\.id)).intersection(cluster.live.map(\.id)).count == 2)
    #expect(cluster.live.count == 3)
  }

  @Test("a rollback that has nothing to do is over at once")
  func emptyRollback() {
    var cluster = Self.cluster()
    cluster.write { transaction in
      guard var service = transaction.service("id-web") else { return }
      service.spec.labels["a"] = "b"
      service.updateStatus = .init(state: .rollbackStarted, startedAt: .zero, message: "manually requested rollback")
      transaction.put(service)
    }
    #expect(cluster.updateStatus?.state == .rollbackCompleted)
  }

  @Test("a paused update moves nothing until the next, and that one goes on from there")
  func paused() {
    var cluster = Self.cluster()
    cluster.behaviour.startFailure = 1
    cluster.update(Self.image(2))
    _ = Self.story(&cluster)
    cluster.behaviour.startFailure = 0
    #expect(Self.story(&cluster) == ["paused: update paused due to failure or early termination of task ID"])
    #expect(cluster.live.map { $0.template.spec.containerSpec?.image } == ["web:2", "web:1", "web:1"])
    cluster.update { _ in }
    #expect(Self.story(&cluster) == ["updating: update in progress", "completed: update completed"])
    #expect(cluster.live.allSatisfy { $0.template.spec.containerSpec?.image == "web:2" })
  }

  @Test("failures below the ratio are tolerated", arguments: [(0.3, true), (0.34, false)] as [(Float, Bool)])
  func ratio(ratio: Float, pauses: Bool) {
    var config = UpdateConfig(monitor: 60)
    config.maxFailureRatio = ratio
    var cluster = Self.cluster(config)
    cluster.update(Self.image(2))
    for _ in 0..<300 where cluster.live.allSatisfy({ $0.template.spec.containerSpec?.image == "web:1" }) {
      cluster.run(for: .milliseconds(100))
    }
    if let first = cluster.live.first(where: { $0.template.spec.containerSpec?.image == "web:2" }) { cluster.crash(first.id) }
    #expect(Self.story(&cluster).last?.hasPrefix(pauses ? "paused" : "completed") == true)
  }

  @Test(
    "scaling while an update is under way begins it anew and reaches both ends",
    arguments: [(1, "none: "), (6, "completed: update completed")] as [(UInt64, String)])
  func scaled(replicas: UInt64, end: String) {
    var cluster = Self.cluster()
    cluster.update(Self.image(2))
    cluster.run(for: .seconds(3))
    cluster.update { $0.mode = .replicated(replicas) }
    // What the smaller service keeps is new already.
    #expect(Self.story(&cluster).last == end)
    #expect(cluster.live.map { $0.template.spec.containerSpec?.image } == Array(repeating: "web:2", count: Int(replicas)))
    #expect(cluster.violations == [])
  }

  @Test("a global service is updated on active nodes; a paused one keeps what it runs")
  func global() {
    var cluster = Self.cluster(nodes: 3) { $0.mode = .global }
    cluster.change("n2") { $0.spec.availability = "pause" }
    cluster.update(Self.image(2))
    #expect(Self.story(&cluster) == ["updating: update in progress", "completed: update completed"])
    let images = Dictionary(uniqueKeysWithValues: cluster.live.map { ($0.nodeID, $0.template.spec.containerSpec?.image) })
    #expect(images == ["n1": "web:2", "n2": "web:1", "n3": "web:2"])
  }
}

extension UpdateConfig {
  fileprivate init(monitor seconds: Int64) {
    self.init(parallelism: 1)
    monitor = seconds * 1_000_000_000
  }
}

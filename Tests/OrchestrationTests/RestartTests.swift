// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Tasks that end")
struct RestartTests {
  private static func cluster(_ policy: RestartPolicy, history: Int64 = 5) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.keepHistory(history)
    cluster.create { $0.restart = policy }
    cluster.run(for: .seconds(20))
    return cluster
  }

  @Test(
    "are replaced as their policy says",
    arguments: [
      (nil, 0, true), (nil, 1, true), ("any", 0, true), ("on-failure", 0, false), ("on-failure", 1, true), ("none", 0, false),
      ("none", 1, false),
    ])
  func condition(condition: String?, exitCode: Int, restarts: Bool) {
    var cluster = Self.cluster(RestartPolicy(condition: condition))
    cluster.crash(exitCode: exitCode)
    cluster.run(for: .seconds(60))
    #expect(cluster.live.count == (restarts ? 1 : 0))
    #expect(cluster.tasks.count == (restarts ? 2 : 1))
    #expect(cluster.tasks.first.map(\.desiredState) == .shutdown)
  }

  @Test("are attempted so many times and no more, also by a new leader", arguments: [false, true])
  func attempts(changesLeader: Bool) {
    var cluster = Self.cluster(RestartPolicy(delay: 0, maxAttempts: 2))
    for _ in 0..<5 {
      cluster.crash()
      if changesLeader { cluster.restartLeader() }
      cluster.run(for: .seconds(60))
    }
    #expect(cluster.tasks.map(\.state) == [.failed, .failed, .failed])
  }

  @Test("are attempted for ever with the largest numbers that a policy can hold")
  func largest() {
    var cluster = Self.cluster(RestartPolicy(delay: 0, maxAttempts: .max, window: .max))
    for _ in 0..<3 {
      cluster.crash()
      cluster.run(for: .seconds(60))
    }
    #expect(cluster.live.count == 1)
    cluster.update { $0.restart?.delay = .max }
    cluster.run(for: .seconds(60))
    cluster.crash()
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.last?.desiredState == .ready)
  }

  @Test("are attempted for ever when the attempts lie outside the window")
  func window() {
    var cluster = Self.cluster(RestartPolicy(delay: 0, maxAttempts: 1, window: 30_000_000_000))
    for _ in 0..<4 {
      cluster.run(for: .seconds(120))
      cluster.crash()
      cluster.run(for: .seconds(60))
    }
    #expect(cluster.live.count == 1)
    // Its first life was long ago, so its end is forgiven; the next one's is not.
    cluster.crash()
    cluster.run(for: .seconds(10))
    cluster.crash()
    cluster.run(for: .seconds(60))
    #expect(cluster.live.isEmpty)
  }

  @Test("stay as they are through changes that concern no task", arguments: [1, 3] as [UInt64])
  func untouched(replicas: UInt64) {
    var cluster = Self.cluster(RestartPolicy(condition: "on-failure"))
    cluster.crash(exitCode: 0)
    cluster.run(for: .seconds(20))
    cluster.update { spec in
      spec.labels["a"] = "b"
      spec.mode = .replicated(replicas)
    }
    cluster.run(for: .seconds(20))
    #expect(cluster.tasks.filter { $0.slot == 1 }.map(\.state) == [.complete])
    #expect(cluster.live.map(\.slot) == Array([2, 3].prefix(Int(replicas) - 1)))
    #expect(cluster.updateStatus == nil)
  }

  @Test("and are not restarted are run again by an update, which says so")
  func updated() {
    var cluster = Self.cluster(RestartPolicy(condition: "none"))
    cluster.crash(exitCode: 0)
    cluster.run(for: .seconds(20))
    cluster.update { $0.taskTemplate.forceUpdate += 1 }
    cluster.run(for: .seconds(1))
    #expect(cluster.updateStatus?.state == .updating)
    cluster.run(for: .seconds(30))
    #expect(cluster.live.count == 1)
    #expect(cluster.updateStatus?.state == .completed)
  }

  @Test("by the drain of their node are not run elsewhere when the policy says none", arguments: ["none", "any"])
  func drained(condition: String) {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    cluster.create { $0.restart = RestartPolicy(condition: condition) }
    cluster.run(for: .seconds(20))
    let node = cluster.live.first?.nodeID ?? ""
    cluster.change(node) { $0.spec.availability = "drain" }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.count == (condition == "any" ? 1 : 0))
  }

  @Test(
    "are kept up to the limit, the live one included",
    arguments: [(5, 5), (2, 2), (1, 1), (0, 1), (-1, 8)] as [(Int64, Int)])
  func history(limit: Int64, kept: Int) {
    var cluster = Self.cluster(RestartPolicy(delay: 0), history: limit)
    for _ in 0..<7 {
      cluster.crash()
      cluster.run(for: .seconds(30))
    }
    #expect(cluster.live.count == 1)
    #expect(cluster.tasks.count == kept)
  }

  @Test("are forgotten at once when the limit is lowered, and kept as many as attempts are counted from")
  func loweredLimit() {
    var cluster = Self.cluster(RestartPolicy(delay: 0))
    for _ in 0..<7 {
      cluster.crash()
      cluster.run(for: .seconds(30))
    }
    cluster.keepHistory(2)
    #expect(cluster.tasks.count == 2)
    cluster.update { $0.restart?.maxAttempts = 3 }
    cluster.run(for: .seconds(60))
    for _ in 0..<7 {
      cluster.crash()
      cluster.run(for: .seconds(30))
    }
    #expect(cluster.tasks.map(\.state) == [.failed, .failed, .failed, .failed])
  }

  @Test(
    "for good are remembered even without a history: the slot is not filled again and again", arguments: ["none", "on-failure"])
  func spentWithoutHistory(condition: String) {
    var cluster = Self.cluster(RestartPolicy(condition: condition, delay: 0), history: 0)
    cluster.crash(exitCode: 0)
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.map(\.state) == [.complete])
  }
}

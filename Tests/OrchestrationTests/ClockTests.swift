// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("A wall clock that is moved by an hour", .serialized)
struct ClockTests {
  static let moves = [Duration.seconds(3_600), .seconds(-3_600)]

  private static func cluster(replicas: UInt64 = 1, _ policy: RestartPolicy = RestartPolicy()) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 31, nodes: 1)
    var service = ClusterLifeTests.service("web", replicas: replicas)
    service.spec.taskTemplate.restartPolicy = policy
    cluster.write { [service] in $0.put(service) }
    cluster.run(for: .seconds(30))
    return cluster
  }

  private static func crash(_ cluster: inout SimulatedCluster) throws {
    cluster.crash(try #require(ClusterLifeTests.running(cluster, "id-web").first).id)
  }

  @Test(
    "a restart's delay is neither cut short nor made longer, in a leader that saw the failure and in a new one", arguments: moves,
    [false, true])
  func delay(move: Duration, isNewLeader: Bool) throws {
    var cluster = Self.cluster()
    try Self.crash(&cluster)
    cluster.moveClock(by: move)
    if isNewLeader { cluster.restartLeader() }
    // A new leader counts from the replacement's creation by the wall clock: at worst the whole delay again, or none.
    if !isNewLeader {
      cluster.run(for: .milliseconds(4_900))
      #expect(ClusterLifeTests.running(cluster, "id-web").isEmpty)
    }
    cluster.run(for: .seconds(8))
    #expect(ClusterLifeTests.running(cluster, "id-web").count == 1)
    #expect(cluster.violations == [])
  }

  @Test("tasks of a slot stay in the order in which they were made", arguments: moves)
  func order(move: Duration) throws {
    var cluster = Self.cluster()
    var made = cluster.store.tasks(ofService: "id-web").map(\.id)
    for round in 0..<4 {
      if round == 1 { cluster.moveClock(by: move) }
      try Self.crash(&cluster)
      cluster.run(for: .seconds(20))
      let tasks = cluster.store.tasks(ofService: "id-web")
      made += tasks.map(\.id).filter { !made.contains($0) }
      #expect(tasks.map(\.id) == made)
      #expect(tasks.last?.state == .running)
    }
  }

  @Test("history keeps the newest tasks of a slot", arguments: moves)
  func history(move: Duration) throws {
    var cluster = Self.cluster()
    var last: [String] = []
    for round in 0..<12 {
      if round == 6 { cluster.moveClock(by: move) }
      try Self.crash(&cluster)
      cluster.run(for: .seconds(20))
      last = (last + ClusterLifeTests.running(cluster, "id-web").map(\.id)).suffix(5)
    }
    #expect(cluster.store.tasks(ofService: "id-web").map(\.id) == last)
  }

  @Test("attempts are still limited, and those of a window are forgotten after it", arguments: moves)
  func attempts(move: Duration) throws {
    var limited = Self.cluster(RestartPolicy(maxAttempts: 3))
    for round in 0..<4 {
      if round == 2 { limited.moveClock(by: move) }
      try Self.crash(&limited)
      limited.run(for: .seconds(20))
    }
    #expect(ClusterLifeTests.running(limited, "id-web").isEmpty)
    var windowed = Self.cluster(RestartPolicy(maxAttempts: 2, window: 120_000_000_000))
    for round in 0..<8 {
      if round == 3 { windowed.moveClock(by: move) }
      try Self.crash(&windowed)
      windowed.run(for: .seconds(100))
    }
    #expect(ClusterLifeTests.running(windowed, "id-web").count == 1)
  }

  @Test("an update under way goes on, one slot at a time, and ends", arguments: moves)
  func update(move: Duration) {
    var cluster = Self.cluster(replicas: 4)
    cluster.write { transaction in
      guard var service = transaction.service("id-web") else { return }
      service.spec.taskTemplate.forceUpdate += 1
      service.updateStatus = nil
      transaction.put(service)
    }
    cluster.run(for: .milliseconds(200))
    cluster.moveClock(by: move)
    var fewest = Int.max
    for _ in 0..<1_000 where cluster.store.services["id-web"]?.updateStatus?.state != .completed {
      cluster.run(for: .milliseconds(100))
      fewest = min(fewest, ClusterLifeTests.running(cluster, "id-web").count)
    }
    #expect(cluster.store.services["id-web"]?.updateStatus?.state == .completed)
    #expect(fewest == 3)
    #expect(cluster.violations == [])
  }
}

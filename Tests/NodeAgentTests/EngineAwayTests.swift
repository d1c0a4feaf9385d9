// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("An engine that goes away")
struct EngineAwayTests {
  @Test("is waited for at the start")
  func atStart() async throws {
    let harness = Harness()
    await harness.engine.goAway()
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      await harness.engine.comeBack()
      try await harness.until("running") { await harness.state() == .running }
    }
  }

  @Test("and comes back with everything running changes nothing")
  func liveRestore() async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      await harness.engine.goAway()
      await harness.assign(Fixtures.task("task2", slot: 2))
      await harness.engine.comeBack()
      try await harness.until("work goes on") { await harness.state("task2") == .running }
      #expect(await harness.state() == .running)
    }
    #expect(await harness.engine.count(of: "start web.1.task1") == 1)
  }

  @Test("and comes back with everything dead: that is reported, and nothing is started again")
  func dead() async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      await harness.engine.goAway(killing: 255)
      await harness.engine.comeBack()
      try await harness.until("failed") { await harness.brief() == "failed 'started' err 'task: non-zero exit (255)'" }
    }
    #expect(await harness.engine.count(of: "start web.1.task1") == 1)
  }

  @Test(
    "a call whose answer is lost is not made twice",
    arguments: ["create web.1.task1", "start web.1.task1", "stop web.1.task1", "remove web.1.task1"])
  func lostAnswer(call: String) async throws {
    let harness = Harness()
    await harness.engine.configure { $0.breaksAfter = call }
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      await harness.desire(.shutdown)
      try await harness.until("shut down") { await harness.state() == .shutdown }
      #expect(await harness.engine.containers.values.map(\.starts) == [1])
      await harness.dispatcher.assign { $0.tasks = [:] }
      try await harness.until("removed") { await harness.engine.containers.isEmpty }
    }
    #expect(await harness.engine.count(of: "start web.1.task1") == 1)
  }

  @Test("a container that ended while the answer to its start was lost is not started again")
  func lostStart() async throws {
    let harness = Harness()
    await harness.engine.configure { engine in
      engine.instantExits = ["web:1": 4]
      engine.breaksAfter = "start web.1.task1"
    }
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("failed") { await harness.state() == .failed }
    }
    #expect(await harness.engine.container(named: "web.1.task1")?.starts == 1)
    #expect(await harness.status()?.err == "task: non-zero exit (4)")
  }

  @Test("a missed death is found by the regular look")
  func missed() async throws {
    let clock = ManualClock()
    var harness = Harness()
    harness.clock = AgentClock(now: { clock.now() }, sleep: { try await clock.sleep($0) })
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      await harness.engine.loseEvents()
      await harness.engine.exit("web.1.task1")
      clock.advance(by: NodeAgent.lookInterval)
      try await harness.until("failed") { await harness.state() == .failed }
    }
  }
}

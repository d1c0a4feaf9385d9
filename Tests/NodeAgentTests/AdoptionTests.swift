// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("An agent that starts again")
struct AdoptionTests {
  /// A life of two published tasks from nothing to running makes these many changes at the engine: two pulls, one network, two
  /// creates, two starts.
  @Test("after a crash behind any call, everything runs once and nothing twice", arguments: 1...7)
  func crashWhileStarting(call: Int) async throws {
    let harness = Harness()
    await assignTwo(harness)
    await harness.engine.loseAnswers(after: call)
    try await harness.withAgent { _ in
      try await harness.until("crashed") { await harness.engine.isSilent }
    }
    await harness.engine.answerAgain()
    try await harness.withAgent { _ in
      try await harness.until("both run") {
        let states = [await harness.state("task1"), await harness.state("task2")]
        return states == [.running, .running]
      }
    }
    #expect(await harness.engine.containers.values.map(\.starts) == [1, 1])
    for name in ["web.1.task1", "web.2.task2"] { #expect(await harness.engine.container(named: name)?.isRunning == true) }
  }

  private func assignTwo(_ harness: Harness) async {
    await harness.assign(
      Fixtures.task(address: "10.0.1.2", template: TaskControllerTests.published),
      Fixtures.task("task2", slot: 2, address: "10.0.1.3", template: TaskControllerTests.published))
  }

  @Test("after a crash behind any call of the way down, the task is shut down and its container gone", arguments: 1...2)
  func crashWhileStopping(call: Int) async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      await harness.engine.loseAnswers(after: call)
      await harness.desire(.shutdown)
      if call == 1 { return try await harness.until("crashed") { await harness.engine.isSilent } }
      try await harness.until("shut down") { await harness.state() == .shutdown }
      await harness.dispatcher.assign { $0.tasks = [:] }
      try await harness.until("crashed") { await harness.engine.isSilent }
    }
    await harness.engine.answerAgain()
    try await harness.withAgent { _ in
      if call == 1 { try await harness.until("shut down") { await harness.brief() == "shutdown 'shutdown'" } }
      await harness.dispatcher.assign { $0.tasks = [:] }
      try await harness.until("removed") { await harness.engine.containers.isEmpty }
    }
    #expect(await harness.engine.count(of: "start web.1.task1") == 1)
  }

  @Test("what runs is left alone: no call that changes anything")
  func adoption() async throws {
    let harness = try await Harness.withTwoRunning()
    let before = await harness.engine.calls
    await harness.engine.exit("web.2.task2")
    try await harness.withAgent { _ in
      try await harness.until("the death is noticed") { await harness.state("task2") == .failed }
      #expect(await harness.state("task1") == .running)
    }
    #expect(await harness.engine.calls == before)
  }

  @Test("containers of others are left alone; ours that no task has are removed, after the first assignment")
  func strangers() async throws {
    let harness = Harness()
    let ours = [Labels.cluster: Fixtures.cluster, Labels.swarmTaskID: "old"]
    await harness.engine.addStranger(name: "old", labels: ours)
    await harness.engine.addStranger(name: "plain", labels: [:])
    await harness.engine.addStranger(name: "other", labels: [Labels.cluster: "other", Labels.swarmTaskID: "old2"])
    await harness.engine.addStranger(name: "helper", labels: [Labels.cluster: Fixtures.cluster])
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("removed") { await harness.engine.container(named: "old") == nil }
      try await harness.until("running") { await harness.state() == .running }
    }
    #expect(Set(await harness.engine.containers.values.map(\.name)) == ["plain", "other", "helper", "web.1.task1"])
  }

  @Test("a name that somebody else has is a conflict, and theirs is not touched")
  func takenName() async throws {
    let harness = Harness()
    await harness.engine.addStranger(name: "web.1.task1", labels: [:])
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("rejected") { await harness.state() == .rejected }
      #expect(await harness.status()?.err.hasPrefix("Conflict. The container name \"/web.1.task1\" is already in use") == true)
      await harness.dispatcher.assign { $0.tasks = [:] }
      await harness.assign(Fixtures.task("task2", slot: 2))
      try await harness.until("the next runs") { await harness.state("task2") == .running }
    }
    #expect(await harness.engine.container(named: "web.1.task1")?.isRunning == true)
  }

  @Test("leaving removes every container of the cluster and its network, and nothing else")
  func leave() async throws {
    let harness = Harness()
    await harness.engine.addStranger(name: "plain", labels: [:])
    await harness.assign(Fixtures.task(address: "10.0.1.2", template: TaskControllerTests.published))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
    }
    for _ in 1...2 { try await NodeAgent.leave(engine: harness.engine, clusterID: Fixtures.cluster, clock: .system) }
    #expect(await harness.engine.containers.values.map(\.name) == ["plain"])
    #expect(await harness.engine.networks.isEmpty)
  }
}

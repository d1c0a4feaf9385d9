// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("Open connections of tasks that drain")
struct DrainCountTests {
  /// Runs a task and drains it. The engine's process of it has `inNamespace` connections, the relay knows of `relayed`.
  private func draining(
    inNamespace: Int, relayed: Int = 0, mayOffload: Bool = false, _ change: (Harness, Int) async -> Void = { _, _ in },
    _ body: (Harness, Int) async throws -> Void
  ) async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("the task runs") { await harness.state() == .running }
      let process = try #require(await harness.status()?.pid)
      harness.sockets.state.withLock { $0.open[process] = inNamespace }
      harness.plane.state.withLock { $0.open = ["task1": relayed] }
      await change(harness, process)
      var table = TrafficStateTests.table(generation: 9, draining: ["task1"])
      table.listeners[0].mayOffload = mayOffload
      let wanted = table
      await harness.dispatcher.assign { $0.table = wanted }
      try await harness.until("the table is acknowledged") { await harness.dispatcher.reports.last?.generation == 9 }
      try await body(harness, process)
    }
  }

  private func reported(_ harness: Harness) async -> [Int] {
    await harness.dispatcher.reports.filter { $0.generation == 9 }.compactMap { $0.openConnections["task1"] }
  }

  @Test(
    "the larger of relay's and namespace's count is told with the acknowledgement", arguments: [(3, 0, 3), (1, 4, 4), (0, 0, 0)])
  func larger(inNamespace: Int, relayed: Int, expected: Int) async throws {
    try await draining(inNamespace: inNamespace, relayed: relayed) { harness, process in
      #expect(await reported(harness).first == expected)
      #expect(harness.sockets.state.withLock { $0.opened } == [process])
      #expect(harness.sockets.state.withLock { Set($0.asked) } == [.these([80])])
    }
  }

  @Test("connections that only the namespace knows end the drain when they end, without a word from the relay")
  func followed() async throws {
    try await draining(inNamespace: 2) { harness, process in
      harness.sockets.state.withLock { $0.open[process] = 1 }
      try await harness.until("one is left") { await reported(harness).last == 1 }
      harness.sockets.state.withLock { $0.open[process] = 0 }
      try await harness.until("drained") { await reported(harness).last == 0 }
      #expect(await reported(harness) == [2, 1, 0])
      #expect(harness.sockets.state.withLock { $0.opened.count } == 1, "the namespace is kept")
    }
  }

  @Test("a relay that was replaced and knows nothing does not make it less")
  func upgraded() async throws {
    try await draining(inNamespace: 2, relayed: 2) { harness, _ in
      let before = harness.sockets.state.withLock { $0.asked.count }
      harness.plane.setOpen([:])
      try await harness.until("counted again") { harness.sockets.state.withLock { $0.asked.count } > before + 1 }
      #expect(await reported(harness) == [2])
    }
  }

  @Test("many tasks are counted less often", arguments: [(0, 100), (1, 100), (10, 100), (11, 110), (500, 5_000)])
  func interval(tasks: Int, milliseconds: Int) {
    #expect(TrafficProgrammer.countInterval(tasks: tasks) == .milliseconds(milliseconds))
  }

  @Test("where namespaces cannot be read the relay's count stands, and they are not asked for again")
  func unreadable() async throws {
    try await draining(inNamespace: 9, relayed: 2, { harness, _ in harness.sockets.state.withLock { $0.isUnreadable = true } }) {
      harness, _ in
      #expect(await reported(harness) == [2])
      harness.plane.setOpen(["task1": 1])
      try await harness.until("the relay's is followed") { await reported(harness).last == 1 }
      #expect(harness.sockets.state.withLock { $0.opened.count } == 1)
    }
  }

  @Test("an engine that does not answer holds nothing up, and is asked again")
  func silent() async throws {
    try await draining(
      inNamespace: 3, relayed: 2,
      { harness, _ in await harness.engine.fallSilent() }
    ) { harness, _ in
      #expect(await reported(harness) == [2])
      await harness.engine.answerAgain()
      try await harness.until("the namespace is counted") { await reported(harness).last == 3 }
    }
  }

  @Test("nor does it end the drain of one whose clients may have come past the relay")
  func silentPastTheRelay() async throws {
    try await draining(
      inNamespace: 3, mayOffload: true,
      { harness, _ in await harness.engine.fallSilent() }
    ) { harness, _ in
      #expect(await reported(harness) == [1])
      await harness.engine.answerAgain()
      try await harness.until("the namespace is counted") { await reported(harness).last == 3 }
    }
  }

  @Test(
    "nothing is told only when two counts have found nothing, where clients may come past the relay", arguments: [true, false])
  func twice(mayOffload: Bool) async throws {
    try await draining(
      inNamespace: 0, mayOffload: mayOffload,
      { harness, process in harness.sockets.state.withLock { $0.openLater[process] = 2 } }
    ) { harness, _ in
      #expect(await reported(harness).first == (mayOffload ? 2 : 0))
    }
  }

  @Test("a namespace whose process has become another's before it was opened is not believed")
  func reused() async throws {
    try await draining(
      inNamespace: 5,
      { harness, _ in
        let engine = harness.engine
        harness.sockets.state.withLock { $0.meanwhile = { await engine.exit("web.1.task1") } }
      }
    ) { harness, _ in
      #expect(await reported(harness).first == 0)
    }
  }

  /// A task of which the managers heard that nothing is open stops; then its namespace has `later`, at one look after the other.
  private func stopping(open: Int, later: [Int], mayOffload: Bool = true) async throws -> (shut: Int, asked: Int) {
    var looks = (shut: 0, asked: 0)
    try await draining(inNamespace: open, mayOffload: mayOffload) { harness, process in
      try await harness.until("counted") { await reported(harness).last == open }
      harness.sockets.state.withLock { $0.openWhenShut[process] = later }
      let before = harness.sockets.state.withLock { $0.asked.count }
      await harness.dispatcher.assign { dispatcher in
        dispatcher.tasks["task1"]?.ingressAddress = IPv4Address(bits: 0x0A00_0102)
        dispatcher.tasks["task1"]?.desiredState = .shutdown
      }
      try await harness.until("it has stopped") { await harness.state() == .shutdown }
      if open == 0, mayOffload { #expect(harness.plane.state.withLock { $0.forgotten.count } == 1, "only when nothing is left") }
      looks = harness.sockets.state.withLock { state in
        (state.shut.count, state.shut.isEmpty ? 0 : (later.count - (state.openWhenShut[process]?.count ?? 0)))
      }
      #expect(before > 0)
    }
    return looks
  }

  @Test("a task without connections takes no more before it stops, and what came until then is waited for")
  func lastLook() async throws {
    let looks = try await stopping(open: 0, later: [2, 1, 0])
    #expect(looks.shut == 1)
    #expect(looks.asked == 3)
  }

  @Test("one whose time was over with connections open stops at once; so does one that only the relay reaches")
  func noLastLook() async throws {
    #expect(try await stopping(open: 2, later: [1]).shut == 0)
    #expect(try await stopping(open: 0, later: [1], mayOffload: false).shut == 0)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Logging
import Testing

@testable import NodeAgent

/// One node: an engine, its leader, and as many lives of an agent as a test wants.
struct Harness {
  var engine = FakeEngine()
  let dispatcher = FakeDispatcher()
  let plane = FakePlane()
  let networks = FakeNetworks()
  var sockets = FakeSockets()
  let files = FakeFiles()
  var clock = AgentClock.system

  func agent() -> NodeAgent {
    NodeAgent(
      engine: engine, dispatcher: dispatcher, plane: plane, networks: networks, sockets: sockets, files: files,
      nodeID: Fixtures.node, clusterID: Fixtures.cluster, sealer: Fixtures.sealer, clock: clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Runs an agent for the time of `body`.
  func withAgent(_ body: (NodeAgent) async throws -> Void) async throws {
    let agent = agent()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await agent.run() } catch is CancellationError {}
      }
      try await body(agent)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  func assign(_ tasks: ClusterTask...) async {
    await dispatcher.assign { dispatcher in
      for task in tasks { dispatcher.tasks[task.id] = task }
    }
  }

  /// Containers of `task1` and `task2` run; their agent has ended.
  static func withTwoRunning() async throws -> Harness {
    let harness = Harness()
    await harness.assign(Fixtures.task(), Fixtures.task("task2", slot: 2))
    try await harness.withAgent { _ in
      try await harness.until("both run") {
        let states = [await harness.state("task1"), await harness.state("task2")]
        return states == [.running, .running]
      }
    }
    return harness
  }

  func desire(_ state: TaskState, of id: String = "task1") async {
    await dispatcher.assign { $0.tasks[id]?.desiredState = state }
  }

  func status(_ id: String = "task1") async -> TaskStatus? { await dispatcher.tasks[id]?.status }

  func state(_ id: String = "task1") async -> TaskState? { await status(id)?.state }

  func brief(_ id: String = "task1") async -> String? { await status(id)?.brief }

  /// Polls a condition; records an issue when it does not come true within ten seconds.
  func until(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
  ) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while try await !condition() {
      guard ContinuousClock.now < end else {
        Issue.record(what, sourceLocation: sourceLocation)
        throw CancellationError()
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}

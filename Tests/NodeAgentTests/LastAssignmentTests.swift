// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Logging
import Synchronization
import Testing

@testable import NodeAgent

/// Managers that cannot be reached.
private struct NoManagers: Dispatcher {
  struct Unreachable: Error {}

  func register(description: NodeDescription, statuses: [String: TaskStatus]) async throws { throw Unreachable() }
  func assignments() async -> AsyncStream<Assignment> { AsyncStream { $0.finish() } }
  func update(statuses: [String: TaskStatus]) async throws { throw Unreachable() }
  func report(traffic: TrafficReport) async {}
  func attach(_ request: NodeMessage.AttachRequest) async throws -> NodeMessage.AttachReply { throw RPCFailure.sessionOver }
  func report(containers: NodeMessage.AttachedContainers) async throws {}
}

@Suite("An agent that starts without managers")
struct LastAssignmentTests {
  @Test("it goes on from its last assignment: what runs is looked after and has its traffic; nothing is started, nothing removed")
  func goesOn() async throws {
    let harness = try await Harness.withTwoRunning()
    // The second is in no assignment any more, the third was not begun.
    let last = Assignment(
      clusterID: Fixtures.cluster, nodeID: Fixtures.node, term: 1,
      tasks: [try #require(await harness.dispatcher.tasks["task1"]), Fixtures.task("task3", slot: 3)],
      ingressSubnet: Fixtures.subnet, table: EndpointTable(generation: 7))
    let agent = NodeAgent(
      engine: harness.engine, dispatcher: NoManagers(), plane: harness.plane, networks: harness.networks,
      sockets: harness.sockets, files: FakeFiles(), nodeID: Fixtures.node,
      clusterID: Fixtures.cluster, sealer: Fixtures.sealer, clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, lastAssignment: last)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { do { try await agent.run() } catch is CancellationError {} }
      try await harness.until("its traffic is programmed") {
        harness.plane.state.withLock { $0.tables.last?.generation } == 7
      }
      try await harness.until("it has the running task and no other") { await agent.controllers.keys.sorted() == ["task1"] }
      try await agent.lookAround()
      group.cancelAll()
    }
    #expect(await harness.engine.containers.values.map(\.starts) == [1, 1])
    #expect(await harness.engine.containers.values.allSatisfy(\.isRunning))
  }

  @Test("what the managers say is kept for the next agent, the newest of it")
  func kept() async throws {
    let harness = Harness()
    let kept = Mutex<Assignment?>(nil)
    let agent = NodeAgent(
      engine: harness.engine, dispatcher: harness.dispatcher, plane: harness.plane, networks: harness.networks,
      sockets: harness.sockets, files: FakeFiles(),
      nodeID: Fixtures.node, clusterID: Fixtures.cluster, sealer: Fixtures.sealer, clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { assignment in kept.withLock { $0 = assignment } }
    await harness.assign(Fixtures.task())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { do { try await agent.run() } catch is CancellationError {} }
      try await harness.until("the first is kept") { kept.withLock { $0?.tasks.map(\.id) } == ["task1"] }
      await harness.assign(Fixtures.task("task2", slot: 2))
      try await harness.until("the next is kept") { kept.withLock { $0?.tasks.count } == 2 }
      group.cancelAll()
    }
  }
}

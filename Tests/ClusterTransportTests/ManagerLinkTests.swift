// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Identity
import Synchronization
import Testing

@testable import ClusterTransport

@Suite("A worker's link to its manager", .timeLimit(.minutes(1)))
struct ManagerLinkTests {
  static let description = NodeDescription(
    hostname: "h", platform: .init(architecture: "x86_64", os: "linux"), resources: .init(nanoCPUs: 1, memoryBytes: 1),
    engine: .init(engineVersion: "1"))

  private static func assignment(_ generation: UInt64) -> Assignment {
    Assignment(
      clusterID: "c1", nodeID: "w1", term: 1, tasks: [], ingressSubnet: nil, table: EndpointTable(generation: generation))
  }

  private func until(_ what: Comment, _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !holds() {
      try #require(ContinuousClock.now < end, what)
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func withLink(
    _ rig: Rig, told: @escaping @Sendable (ManagerLink.Event) -> Void = { _ in },
    _ body: @escaping @Sendable (ManagerLink) async throws -> Void
  ) async throws {
    try await rig.serving { port in
      let credentials = try rig.credentials("w1")
      let link = try ManagerLink(
        to: "127.0.0.1:\(port)", nodeID: "w1", credentials: { credentials }, sealer: SealingKey.make(), logger: Rig.logger,
        now: { Rig.now }, tell: told)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await link.run() }
        try await body(link)
        group.cancelAll()
      }
    }
  }

  @Test("a session brings assignments and is kept by heartbeats; its end, on either side, ends the assignments")
  func session() async throws {
    let rig = try Rig()
    try await withLink(rig) { link in
      try await link.register(description: Self.description, statuses: [:])
      var assignments = await link.assignments().makeAsyncIterator()
      try await until("the manager hears heartbeats") { rig.service.calls.count { $0 == "beat w1" } > 3 }
      try await until("the manager is asked for assignments") { rig.service.state.withLock { !$0.readers.isEmpty } }
      for generation in 1...3 {
        rig.service.send(Self.assignment(UInt64(generation)))
        #expect(await assignments.next()?.table.generation == UInt64(generation))
      }
      await link.report(traffic: TrafficReport(generation: 3))
      #expect(rig.service.state.withLock { $0.reports } == [TrafficReport(generation: 3)])
      rig.service.state.withLock { for reader in $0.readers { reader.finish() } }
      #expect(await assignments.next() == nil)
      await #expect(throws: RPCFailure.sessionOver) { try await link.update(statuses: [:]) }
      try await link.register(description: Self.description, statuses: [:])
      _ = await link.assignments()
      try await link.goodbye(lease: nil)
      await #expect(throws: RPCFailure.sessionOver) { try await link.register(description: Self.description, statuses: [:]) }
    }
    #expect(rig.service.calls.filter { $0 == "register w1" }.count == 2)
    #expect(rig.service.calls.contains("goodbye w1"))
  }

  @Test("a node that was removed is told so once it registers")
  func removed() async throws {
    let rig = try Rig()
    rig.service.state.withLock { _ = $0.removed.insert("w1") }
    let refusals = Mutex<[String]>([])
    let told: @Sendable (ManagerLink.Event) -> Void = { event in
      if case .refused(let failure) = event { refusals.withLock { $0.append(failure.message) } }
    }
    try await withLink(rig, told: told) { link in
      await #expect(throws: RPCFailure.self) { try await link.register(description: Self.description, statuses: [:]) }
    }
    #expect(refusals.withLock { $0 } == ["Permission denied: node w1 was removed from swarm"])
  }

  @Test("a link that shows a new certificate goes on in a new session, and tells what the node has")
  func reconnecting() async throws {
    let rig = try Rig()
    rig.service.state.withLock { $0.authority = "another" }
    let wanted = Mutex<Set<String>>([])
    let told: @Sendable (ManagerLink.Event) -> Void = { event in
      if case .outdated(let mark) = event { wanted.withLock { _ = $0.insert(mark) } }
    }
    try await withLink(rig, told: told) { link in
      try await link.register(description: Self.description, statuses: [:])
      var assignments = await link.assignments().makeAsyncIterator()
      try await until("the link hears what managers want") { wanted.withLock { $0 == ["another"] } }
      link.reconnect()
      #expect(await assignments.next() == nil)
      let end = ContinuousClock.now + .seconds(10)
      while (try? await link.register(description: Self.description, statuses: [:])) == nil {
        try #require(ContinuousClock.now < end)
        try await Task.sleep(for: .milliseconds(10))
      }
      _ = await link.assignments()
      let before = rig.service.calls.count { $0 == "beat w1" }
      try await until("it beats on") { rig.service.calls.count { $0 == "beat w1" } > before }
    }
    let root = rig.root.pem
    #expect(
      rig.service.state.withLock { $0.tls } == [NodeTLS(trustRoot: root, issuer: root), NodeTLS(trustRoot: root, issuer: root)])
  }

  @Test("a heartbeat does not wait for an agent whose threads are all busy")
  func starvation() async throws {
    let rig = try Rig()
    try await withLink(rig) { link in
      try await link.register(description: Self.description, statuses: [:])
      _ = await link.assignments()
      try await until("the manager hears heartbeats") { rig.service.calls.contains("beat w1") }
      // The manager is in this process too and cannot answer; what the node has sent is in its socket and is heard afterwards.
      let before = rig.service.calls.count { $0 == "beat w1" }
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { Self.burn(.milliseconds(400)) } }
      }
      try await until("those of the busy time are heard") { rig.service.calls.count { $0 == "beat w1" } >= before + 10 }
    }
  }

  /// Holds a thread of the pool.
  private static func burn(_ time: Duration) {
    let end = ContinuousClock.now + time
    while ContinuousClock.now < end {}
  }
}

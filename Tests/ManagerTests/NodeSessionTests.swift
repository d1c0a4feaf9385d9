// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import ClusterStore
import Logging
import Testing

@testable import Manager

/// The leader's loop and a node's session over a store in memory, with the test as the node's agent.
@Suite("A node's session")
struct NodeSessionTests {
  private struct Rig {
    let store: Store
    let loop: ControlLoop
    let session: NodeSession

    init() async throws {
      let clock = ContinuousClock()
      let start = clock.now
      let now: @Sendable () -> Now = {
        let uptime = start.duration(to: clock.now)
        return Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000) + uptime, uptime: uptime)
      }
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      store = try await Store(backend: MemoryBackend())
      loop = ControlLoop(store: store, logger: logger, now: now)
      session = NodeSession(nodeID: "n1", address: "192.0.2.1", store: store, loop: loop, logger: logger, now: now)
      try await store.transaction { transaction in
        transaction.put(
          Cluster(
            id: "c1", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "", manager: ""), trustRoot: "",
            defaultAddrPool: [],
            subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16)))
        transaction.put(
          Node(
            id: "n1", spec: NodeSpec(role: "manager", availability: "active"), status: NodeStatus(state: .unknown, addr: ""),
            createdAt: .zero))
      }
    }

    /// Runs loop and session around `body`.
    func run(_ body: (inout AsyncStream<Assignment>.Iterator) async throws -> Void) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await loop.run() }
        group.addTask { await session.run() }
        let description = NodeDescription(
          hostname: "h", platform: .init(architecture: "x86_64", os: "linux"), resources: .init(nanoCPUs: 1, memoryBytes: 1),
          engine: .init(engineVersion: "1"))
        try await session.register(description: description, statuses: [:])
        var assignments = await session.assignments().makeAsyncIterator()
        try await body(&assignments)
        group.cancelAll()
      }
    }
  }

  @Test("a published port that cannot be opened is in the node's message until it can, and nobody else's business")
  func failedPorts() async throws {
    let rig = try await Rig()
    try await rig.run { _ in
      func message() async -> String? { await rig.store.read { $0.nodes["n1"]?.status.message } }
      let failed: [UInt16: String] = [8080: "address already in use", 80: "permission denied"]
      await rig.session.report(traffic: TrafficReport(generation: 1, failedPorts: failed))
      #expect(
        await message()
          == "published port 80 cannot be opened: permission denied; published port 8080 cannot be opened: address already in use"
      )
      await rig.session.report(traffic: TrafficReport(generation: 2))
      #expect(await message() == nil)
    }
  }

  @Test("the control loop's steps begin 5 ms apart, so that a burst of writes does not make as many commits again")
  func pace() async throws {
    let rig = try await Rig()
    try await rig.run { _ in
      let (clock, count) = (ContinuousClock(), 200)
      let (start, before) = (clock.now, await rig.store.read(\.version))
      for number in 0..<count {
        let service = Service(id: "b\(number)", spec: ServiceSpec(name: "b\(number)", mode: .replicated(0)), createdAt: .zero)
        try await rig.store.transaction { $0.put(service) }
      }
      while await rig.store.read({ $0.services.values.contains { $0.endpoint == nil } }) { await Task.yield() }
      let commits = Int(await rig.store.read(\.version) - before) - count
      // The first step does not wait, and one of more than 64 services makes several commits.
      #expect(Double(commits) <= (clock.now - start) / .milliseconds(5) + 6)
    }
  }

  private static func status(_ state: TaskState, ready: Bool = false) -> TaskStatus {
    TaskStatus(state: state, timestamp: Timestamp(nanoseconds: 1), message: "\(state)", isReady: ready)
  }

  private static let service: Service = {
    var spec = ServiceSpec(name: "web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web")), mode: .replicated(1))
    spec.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
    return Service(id: "s1", spec: spec, createdAt: .zero)
  }()

  @Test("a service reaches the node as a task, its traffic comes when it is ready, and it stops only after the barrier")
  func life() async throws {
    let rig = try await Rig()
    try await rig.run { assignments in
      try await rig.store.transaction { $0.put(Self.service) }
      var newest = await assignments.next()
      while newest?.tasks.isEmpty ?? true { newest = await assignments.next() }
      let task = try #require(newest?.tasks.first)
      #expect(task.nodeID == "n1" && task.desiredState == .running && task.ingressAddress == IPv4Address("10.0.0.2"))
      #expect(newest?.table.listeners.first?.endpoints.isEmpty == true)

      try await rig.session.update(statuses: [task.id: Self.status(.running, ready: true)])
      while newest?.table.listeners.first?.endpoints.first?.state != .ready { newest = await assignments.next() }
      await rig.session.report(traffic: TrafficReport(generation: newest?.table.generation ?? 0))

      try await rig.store.transaction { transaction in
        guard var service = transaction.service("s1") else { return }
        service.spec.mode = .replicated(0)
        transaction.put(service)
      }
      while newest?.table.listeners.first?.endpoints.first?.state != .draining { newest = await assignments.next() }
      #expect(newest?.tasks.first?.desiredState == .running)

      await rig.session.report(traffic: TrafficReport(generation: newest?.table.generation ?? 0, openConnections: [task.id: 1]))
      await rig.session.report(traffic: TrafficReport(generation: newest?.table.generation ?? 0, openConnections: [task.id: 0]))
      while newest?.tasks.first?.desiredState != .remove { newest = await assignments.next() }
      try await rig.session.update(statuses: [task.id: Self.status(.shutdown)])
      while newest?.tasks.isEmpty == false { newest = await assignments.next() }
      #expect(await rig.store.read { $0.tasks.isEmpty })
    }
  }

  @Test("a status that would take a task back is dropped, and so is one of another node's task")
  func lateStatus() async throws {
    let rig = try await Rig()
    try await rig.run { assignments in
      try await rig.store.transaction { $0.put(Self.service) }
      var newest = await assignments.next()
      while newest?.tasks.isEmpty ?? true { newest = await assignments.next() }
      let id = try #require(newest?.tasks.first?.id)
      try await rig.session.update(statuses: [id: Self.status(.starting), "nobody": Self.status(.running)])
      try await rig.session.update(statuses: [id: Self.status(.accepted)])
      #expect(await rig.store.read { $0.tasks[id]?.state } == .starting)
      #expect(await rig.store.read { $0.tasks["nobody"] } == nil)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Foundation
import Manager

/// What is asked of the manager, one phase after the other.
struct Load: Sendable {
  let agents: Int
  let tasks: Int
  let services: Int
  /// Whether each service publishes a port: then every node is told of every task.
  let isPublished: Bool

  struct Report: Codable {
    /// Until every node is ready and has its part of the ingress network, and every agent knows its session.
    var join: Cost
    /// Until every task runs and is fit for traffic.
    var converge: Cost
    /// Until every agent has applied a table with all tasks; from the same beginning.
    var tables: Cost
    /// Ten seconds in which nothing happens but heartbeats.
    var idle: Cost
    /// One more task.
    var one: Cost
  }

  private var all: Int { tasks / services * services }

  func run(on manager: ManagerSide) async throws -> Report {
    let tally = Tally()
    let meter = Meter(store: manager.store, tally: tally)
    Task { await manager.run() }
    let join = try await meter.time {
      for number in 0..<agents { Task { try await Agent(number: number, manager: manager, tally: tally).run() } }
    } until: {
      guard tally.state.withLock({ $0.counts.sessions >= agents }) else { return false }
      return await areNodesReady(manager.store)
    }
    let begun = await meter.mark()
    let converge = try await meter.time {
      try await manager.store.batch { transaction in
        for number in 0..<services { transaction.put(service(number, replicas: UInt64(tasks / services))) }
      }
    } until: {
      await runs(all, manager.store)
    }
    try await meter.wait { isPublished ? isKnown(all, tally) : true }
    let tables = await meter.cost(since: begun)
    let idle = try await meter.time {
      try await Task.sleep(for: .seconds(10))
    } until: {
      true
    }
    let one = try await meter.time {
      try await manager.store.batch { $0.put(service(services, replicas: 1)) }
    } until: {
      await runs(all + 1, manager.store)
    }
    return Report(join: join, converge: converge, tables: tables, idle: idle, one: one)
  }

  private func areNodesReady(_ store: Store) async -> Bool {
    let count = agents
    return await store.read { state in
      state.nodes.count == count && state.nodes.values.allSatisfy { $0.status.state == .ready && $0.ingressSubnet != nil }
    }
  }

  private func runs(_ count: Int, _ store: Store) async -> Bool {
    await store.read { state in state.tasks.values.count { $0.state == .running && $0.status.isReady } == count }
  }

  private func isKnown(_ count: Int, _ tally: Tally) -> Bool {
    tally.state.withLock { $0.endpoints.count == agents && $0.endpoints.values.allSatisfy { $0 == count } }
  }

  private func service(_ number: Int, replicas: UInt64) -> Service {
    var spec = ServiceSpec(name: "web-\(number)", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web")))
    spec.mode = .replicated(replicas)
    if isPublished {
      spec.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: UInt32(20_000 + number))])
    }
    return Service(id: "service-\(number)", spec: spec, createdAt: .zero)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Manager
import Synchronization

/// What all agents have done so far.
final class Tally: Sendable {
  struct Counts: Codable {
    var sessions = 0
    var beats = 0
    var assignments = 0
    var updates = 0
    var tables = 0
    /// Sessions that ended though nobody ended them.
    var lost = 0
  }

  struct State {
    var counts = Counts()
    /// Endpoints of the table that each agent has applied.
    var endpoints: [Int: Int] = [:]
  }

  let state = Mutex(State())

  func add(_ count: any WritableKeyPath<Counts, Int> & Sendable) { state.withLock { $0.counts[keyPath: count] += 1 } }
}

/// One node as its manager sees it: its containers take no time, and its traffic is programmed as soon as it is told.
struct Agent: Sendable {
  let number: Int
  let manager: ManagerSide
  let tally: Tally

  private var service: NodeService { manager.service }

  /// Joins, then has one session after the other until cancelled.
  func run() async throws {
    let request = NodeMessage.CertificateRequest(signingRequest: "agent \(number)", token: manager.token)
    let node = try await service.issueCertificate(request, to: nil).certificate
    while !Task.isCancelled {
      do { try await session(of: node) } catch {
        tally.add(\.lost)
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  private func session(of node: String) async throws {
    let description = NodeDescription(
      hostname: "n\(number)", platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(nanoCPUs: 64_000_000_000, memoryBytes: 1 << 38), engine: .init(engineVersion: "20.10.24"))
    let address = "192.168.\(number >> 8).\(number & 255)"
    let session = try await service.register(
      .init(description: description, statuses: [:]), of: node, session: nil, address: address)
    tally.add(\.sessions)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await beat(node, session) }
      group.addTask { try await follow(node, session.id) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func beat(_ node: String, _ session: NodeMessage.Session) async throws {
    while true {
      try await Task.sleep(for: .nanoseconds(session.heartbeatPeriod))
      _ = try await service.beat(of: node, session: session.id)
      tally.add(\.beats)
    }
  }

  private func follow(_ node: String, _ session: String) async throws {
    var statuses: [String: TaskStatus] = [:]
    var generation = UInt64.max
    for await assignment in try await service.assignments(of: node, session: session) {
      tally.add(\.assignments)
      if assignment.table.generation != generation {
        generation = assignment.table.generation
        try await apply(assignment.table, node, session)
      }
      while case let news = Self.advance(&statuses, assignment.tasks), !news.isEmpty {
        tally.add(\.updates)
        try await service.update(.init(news), of: node, session: session)
      }
    }
    throw RPCFailure.sessionOver
  }

  private func apply(_ table: EndpointTable, _ node: String, _ session: String) async throws {
    try await service.report(.init(TrafficReport(generation: table.generation)), of: node, session: session)
    let endpoints = table.listeners.reduce(0) { $0 + $1.endpoints.count }
    tally.state.withLock { state in
      state.counts.tables += 1
      state.endpoints[number] = endpoints
    }
  }

  /// Each task one step further, as far as it is wanted: the statuses that are new.
  private static func advance(_ statuses: inout [String: TaskStatus], _ tasks: [ClusterTask]) -> [String: TaskStatus] {
    var news: [String: TaskStatus] = [:]
    for task in tasks {
      guard let next = next(statuses[task.id] ?? task.status, task.desiredState) else { continue }
      statuses[task.id] = next
      news[task.id] = next
    }
    return news
  }

  private static func next(_ status: TaskStatus, _ desired: TaskState) -> TaskStatus? {
    var next = status
    next.timestamp = ManagerSide.now().wall
    switch status.state {
    case ..<TaskState.accepted: (next.state, next.message) = (.accepted, "accepted")
    case ..<TaskState.ready: (next.state, next.message) = (.ready, "prepared")
    case .ready where desired == .running: (next.state, next.message) = (.running, "started")
    case .running where !status.isReady: next.isReady = true
    default: return nil
    }
    return next
  }
}

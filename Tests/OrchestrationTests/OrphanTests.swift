// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Tasks of nodes that stay away")
struct OrphanTests {
  private static let day = Duration.seconds(24 * 3_600)

  private static func store(downSince: Timestamp?) throws -> ClusterStore {
    var store = ClusterStore()
    var transaction = Transaction(over: store)
    for (id, state) in [("a", NodeStatus.State.down), ("b", .ready), ("c", .unknown)] {
      var node = Node(
        id: id, spec: NodeSpec(role: "worker", availability: "active"), status: NodeStatus(state: state, addr: ""),
        createdAt: .zero)
      if state == .down { node.status.downSince = downSince }
      transaction.put(node)
      for (kind, state) in [("run", TaskState.running), ("done", .complete), ("given", .assigned)] {
        let template = TaskTemplate(
          key: .init(serviceID: "s", specVersion: 1), serviceName: "s", serviceLabels: [:], spec: TaskSpec(), endpointSpec: nil,
          ports: [])
        transaction.put(
          ClusterTask(
            id: "\(kind)-\(id)", template: template, slot: 1, nodeID: id, desiredState: .shutdown,
            status: TaskStatus(state: state, timestamp: .zero, message: ""), createdAt: .zero))
      }
    }
    for (version, proposal) in try transaction.batchedProposals().enumerated() {
      store.apply(proposal, version: UInt64(version + 1))
    }
    return store
  }

  private func orphans(_ watch: inout OrphanWatch, _ store: ClusterStore, _ dirty: DirtySet?, _ now: Now) throws -> (
    [String], Duration?
  ) {
    var transaction = Transaction(over: store)
    let next = watch.advance(dirty, &transaction, now)
    var after = store
    for proposal in try transaction.batchedProposals() { after.apply(proposal, version: after.version + 1) }
    return (after.tasks.values.filter { $0.state == .orphaned }.map(\.id).sorted(), next)
  }

  @Test("what a node that has been down for a day had not ended is orphaned, not sooner, and of no other node")
  func day() throws {
    var watch = OrphanWatch()
    let since = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
    let store = try Self.store(downSince: since)
    let (begin, end) = (
      Now(wall: since + .seconds(60), uptime: .seconds(100)), Now(wall: since + Self.day, uptime: .seconds(86_440))
    )
    let (none, next) = try orphans(&watch, store, nil, begin)
    #expect(none == [] && next == .seconds(100) + Self.day - .seconds(60))
    let early = try orphans(&watch, store, DirtySet(), Now(wall: end.wall, uptime: .seconds(200)))
    #expect(early.0 == [], "the timer decides when to look")
    let (gone, rest) = try orphans(&watch, store, DirtySet(), end)
    #expect(gone == ["given-a", "run-a"] && rest == nil)
  }

  @Test("one of which nobody knows since when gets a day")
  func unknown() throws {
    var watch = OrphanWatch()
    let now = Now(wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000), uptime: .zero)
    let (none, next) = try orphans(&watch, try Self.store(downSince: nil), nil, now)
    #expect(none == [] && next == Self.day)
  }
}

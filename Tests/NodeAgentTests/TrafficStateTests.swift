// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Testing

@testable import NodeAgent

@Suite("The traffic of a node")
struct TrafficStateTests {
  static func table(generation: UInt64, ready: [String] = [], draining: [String] = []) -> EndpointTable {
    func endpoint(_ id: String, _ state: Endpoint.State) -> Endpoint {
      Endpoint(id: id, address: IPv4Address(bits: 0x0A00_0102), port: 80, state: state)
    }
    let endpoints = ready.map { endpoint($0, .ready) } + draining.map { endpoint($0, .draining) }
    return EndpointTable(generation: generation, listeners: [Listener(id: "web", port: 8080, endpoints: endpoints)])
  }

  @Test("the newest table is programmed once, and an older one never")
  func newest() {
    var state = TrafficState()
    #expect(state.next == nil)
    state.want(Self.table(generation: 2, ready: ["a"]))
    state.want(Self.table(generation: 1, ready: ["b"]))
    #expect(state.next == Self.table(generation: 2, ready: ["a"]))
    state.applied(Self.table(generation: 2, ready: ["a"]), TrafficOutcome(generation: 2))
    #expect(state.next == nil)
    #expect(state.report() == TrafficReport(generation: 2))
    #expect(state.report() == nil)
  }

  @Test("a withdrawn task stays out until the managers' table is without it; a draining one stays in")
  func withdrawn() {
    var state = TrafficState()
    state.want(Self.table(generation: 1, ready: ["a", "b"], draining: ["c"]))
    state.withdraw("a")
    state.withdraw("c")
    #expect(state.next == Self.table(generation: 1, ready: ["b"], draining: ["c"]))
    state.want(Self.table(generation: 2, ready: ["a", "b"]))
    #expect(state.next == Self.table(generation: 2, ready: ["b"]))
    state.want(Self.table(generation: 3, ready: ["b"]))
    #expect(state.next == Self.table(generation: 3, ready: ["b"]))
  }

  @Test("open connections of draining endpoints are reported whenever they change, down to zero")
  func counts() {
    var state = TrafficState()
    let table = Self.table(generation: 4, ready: ["a"], draining: ["b"])
    state.want(table)
    state.applied(table, TrafficOutcome(generation: 4))
    #expect(state.draining == ["b"])
    state.counted(["b": 2, "gone": 1])
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["b": 2]))
    state.counted(["b": 2])
    #expect(state.report() == nil)
    state.counted([:])
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["b": 0]))
  }

  @Test("a plane that fails is tried again, failed ports are reported, and drains are followed")
  func component() async throws {
    let harness = Harness()
    harness.plane.state.withLock { state in
      state.failures = 2
      state.failedPorts = [8080: "listen tcp :8080: bind: address already in use"]
      state.open = ["b": 3]
    }
    await harness.dispatcher.assign { $0.table = Self.table(generation: 7, ready: ["a"], draining: ["b"]) }
    let failed: [UInt16: String] = [8080: "listen tcp :8080: bind: address already in use"]
    try await harness.withAgent { _ in
      try await harness.until("reported") {
        await harness.dispatcher.reports.contains(
          TrafficReport(generation: 7, openConnections: ["b": 3], failedPorts: failed))
      }
      harness.plane.setOpen([:])
      try await harness.until("drained") {
        await harness.dispatcher.reports.last == TrafficReport(generation: 7, openConnections: ["b": 0], failedPorts: failed)
      }
    }
  }
}

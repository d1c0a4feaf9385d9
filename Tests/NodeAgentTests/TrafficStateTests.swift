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
    state.counted(["b": 2, "gone": 1], in: state.beginCount())
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["b": 2]))
    state.counted(["b": 2], in: state.beginCount())
    #expect(state.report() == nil)
    state.counted(["b": 0], in: state.beginCount())
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["b": 0]))
  }

  @Test("a count that began before another and ended after it changes nothing of what both counted")
  func overtaken() {
    var state = TrafficState()
    let table = Self.table(generation: 4, draining: ["a", "b"])
    state.want(table)
    let (old, new) = (state.beginCount(), state.beginCount())
    state.applied(table, TrafficOutcome(generation: 4))
    state.counted(["a": 3], in: new)
    state.counted(["a": 0, "b": 1], in: old)
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["a": 3, "b": 1]))
  }

  @Test("endpoints that drain are counted on their TCP ports, in whichever listeners they are")
  func ports() {
    func endpoint(_ id: String, _ port: UInt16, _ state: Endpoint.State = .draining) -> Endpoint {
      Endpoint(id: id, address: .loopback, port: port, state: state)
    }
    let table = EndpointTable(
      generation: 1,
      listeners: [
        Listener(id: "web", port: 8080, endpoints: [endpoint("a", 80), endpoint("b", 80, .ready)]),
        Listener(id: "admin", port: 8081, endpoints: [endpoint("a", 81)]),
        Listener(id: "dns", port: 53, transport: .udp, endpoints: [endpoint("a", 53), endpoint("c", 53)]),
      ])
    #expect(table.drainingPorts == ["a": .these([80, 81]), "c": .these([])])
  }

  @Test("own tasks on overlay networks drain with the table that says so, on whatever they listen")
  func overlayDrains() {
    var state = TrafficState()
    let table = Self.table(generation: 4, draining: ["b"])
    state.want(table, draining: ["a"])
    #expect(state.next == table && state.draining(by: table) == ["a": .all, "b": .these([80])])
    let count = state.beginCount()
    state.applied(table, TrafficOutcome(generation: 4))
    state.counted(["a": 2, "b": 0], in: count)
    #expect(state.report() == TrafficReport(generation: 4, openConnections: ["a": 2, "b": 0]))
    state.want(table, draining: [])
    #expect(state.next == table)
    state.applied(table, TrafficOutcome(generation: 4))
    #expect(state.next == nil && state.report() == TrafficReport(generation: 4, openConnections: ["b": 0]))
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

@Suite("Nodes that do not answer this one")
struct SilentPeerTests {
  private static func table(_ endpoints: [[(Int, Endpoint.State)]]) -> EndpointTable {
    let listeners = endpoints.enumerated().map { index, endpoints in
      Listener(
        id: "s\(index)", port: UInt16(80 + index),
        endpoints: endpoints.map { node, state in
          Endpoint(id: "t\(node)", address: IPv4Address(bits: 0x0A00_0002 + UInt32(node) << 8), port: 80, state: state)
        })
    }
    return EndpointTable(generation: 1, listeners: listeners)
  }

  private static func subnets(_ nodes: [Int]) -> Set<IPv4Subnet> {
    Set(nodes.map { IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000 + UInt32($0) << 8), prefix: 24) })
  }

  @Test(
    "their endpoints are left out and their connections ended, but never the last of a listener",
    arguments: [
      ([[(1, .ready), (2, .ready)]], [2], [["t1"]], [2]), ([[(1, .ready), (2, .ready)]], [1, 2], [["t1", "t2"]], []),
      ([[(2, .ready)]], [2], [["t2"]], []), ([[(1, .ready), (2, .draining)]], [2], [["t1", "t2"]], [2]),
      ([[(1, .ready), (2, .ready)], [(2, .ready)]], [2], [["t1"], ["t2"]], []),
      ([[(1, .draining), (2, .ready)]], [2], [["t1", "t2"]], []),
    ] as [([[(Int, Endpoint.State)]], [Int], [[String]], [Int])])
  func leftOut(_ endpoints: [[(Int, Endpoint.State)]], _ silent: [Int], _ left: [[String]], _ cut: [Int]) {
    var state = TrafficState()
    state.want(Self.table(endpoints))
    state.suspend(Self.subnets(silent))
    #expect(state.next?.listeners.map { $0.endpoints.map(\.id) } == left)
    #expect(state.takeLost() == Set(cut.map { IPv4Address(bits: 0x0A00_0002 + UInt32($0) << 8) }))
    #expect(state.takeLost() == [])
    state.suspend([])
    #expect(state.next == Self.table(endpoints) && state.takeLost() == [])
  }

  @Test("one that is lost while it is silent is cut once; the agent ends the connections of what it leaves out")
  func agent() async throws {
    let harness = Harness()
    let table = Self.table([[(1, .ready), (2, .ready)]])
    await harness.dispatcher.assign { $0.table = table }
    try await harness.withAgent { _ in
      try await harness.until("the table is in force") { harness.plane.tables.last == table }
      try await harness.until("its nodes are probed") { await harness.networks.destinations.count == 2 }
      harness.networks.silent.continuation.yield(Self.subnets([2]))
      try await harness.until("the silent node's connections are ended") {
        harness.plane.cuts == [[IPv4Address(bits: 0x0A00_0202)]]
      }
      #expect(harness.plane.tables.last?.listeners.map { $0.endpoints.map(\.id) } == [["t1"]])
    }
  }
}

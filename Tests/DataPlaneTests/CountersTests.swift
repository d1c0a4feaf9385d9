// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay's counts", .serialized, .timeLimit(.minutes(1)))
struct CountersTests {
  @Test("tell why endpoints failed, how often another was tried, and how long those that accepted took")
  func kinds() async throws {
    let (live, silent) = (try Backend.named("live"), try SilentEndpoint())
    let relay = try await RelayFixture { $0.connectTimeout = .milliseconds(40) }
    let endpoints = [refusingEndpoint("dead"), silent.endpoint("silent"), live.endpoint("live")]
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: endpoints)])[0]
    let start = ContinuousClock.now
    for _ in 0..<3 { #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "live") }
    let elapsed = ContinuousClock.now - start
    let counters = try relay.counters()[0]
    #expect(counters.endpoints.map(\.id) == ["dead", "silent", "live"])
    // Dead, silent, live; then silent and live are left: the turn went on behind the last that was tried.
    let failures = counters.endpoints.map(\.failuresByKind)
    #expect(failures[0].keys.elementsEqual([.refused]) && failures[1].keys.elementsEqual([.timedOut]) && failures[2].isEmpty)
    #expect(counters.retries == failures[0].total + failures[1].total && counters.retries >= 4)
    #expect((counters.total, counters.refused, counters.endpoints[2].total) == (3, 0, 3))
    #expect(counters.endpoints.map(\.latency.count) == [0, 0, 3])
    #expect(counters.latency == counters.endpoints[2].latency)
    #expect(counters.latency.sum > 3_000 && counters.latency.sum < elapsed.nanoseconds - 3 * 40_000_000)
  }

  @Test("tell the listener's even when its endpoints have come and gone")
  func departed() async throws {
    let (old, new) = (try Backend.named("old"), try Backend.named("new"))
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [old.endpoint("old")])])[0]
    #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "old")
    #expect(try await eventually { try relay.counters()[0].open == 0 })
    try relay.program([Listener(id: "web", port: port, strategy: .random, endpoints: [new.endpoint("new")])])
    #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "new")
    let counters = try relay.counters()[0]
    #expect((counters.total, counters.bytesOut, counters.latency.count, counters.strategy) == (2, 6, 2, .random))
    #expect(counters.endpoints.map(\.latency.count) == [1])
  }

  @Test("tell endpoints that are ready from those that drain and those that are gone")
  func states() async throws {
    let backends = try ["a", "b", "c"].map(Backend.holding)
    let relay = try await RelayFixture()
    let endpoints = zip(backends, ["a", "b", "c"]).map { $0.endpoint($1) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: endpoints)])[0]
    let held = try await offPool { try ForwardingTests.hold(3, port: port) }
    try relay.program([Listener(id: "web", port: port, endpoints: [endpoints[0], backends[1].endpoint("b", .draining)])])
    let counters = try relay.counters()[0]
    #expect(counters.endpoints.map(\.state) == [.ready, .draining, .gone])
    #expect(counters.endpoints.map(\.open) == [1, 1, 1])
    #expect(counters.endpoints.map(\.port) == backends.map(\.port))
    #expect(counters.endpoints.map(\.address) == [.loopback, .loopback, .loopback])
    for (_, client) in held { client.close() }
    #expect(try await eventually { try relay.counters()[0].endpoints.map(\.id) == ["a", "b"] })
  }

  @Test("tell a client that waited for an endpoint which left the table")
  func withdrawn() async throws {
    let (silent, live) = (try SilentEndpoint(), try Backend.named("live"))
    let relay = try await RelayFixture { $0.connectTimeout = .seconds(60) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [silent.endpoint("silent")])])[0]
    let client = try TestClient(port: port)
    #expect(try await eventually { try relay.counters()[0].open == 1 })
    try relay.program([Listener(id: "web", port: port, endpoints: [live.endpoint("live")])])
    #expect(try await offPool { try client.receiveText() } == "live")
    client.close()
    let counters = try relay.counters()[0]
    #expect((counters.retries, counters.refused, counters.latency.count) == (1, 0, 1))
  }

  @Test("tell what the relay as a whole has")
  func whole() async throws {
    let (backend, datagrams) = (try Backend.holding("a"), DatagramBackend.named("b"))
    let relay = try await RelayFixture { $0.connectionLimit = 100 }
    let ports = try relay.program([
      Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")]),
      Listener(id: "dns", port: 0, transport: .udp, endpoints: [datagrams.endpoint("b")]),
    ])
    let held = try await offPool { try ForwardingTests.hold(2, port: ports[0]) }
    try await offPool {
      let client = try DatagramClient(port: ports[1])
      defer { client.close() }
      #expect(client.askText() == "b")
    }
    let report = try relay.report()
    #expect((report.connections, report.connectionLimit, report.sessions, report.sessionLimit) == (2, 100, 1, 50))
    #expect((report.release, report.generation, report.threads) == (Relay.release, 1, 2))
    #expect(try relay.report().uptime > report.uptime && report.uptime < 60_000_000_000)
    for (_, client) in held { client.close() }
  }

  @Test("of places for connections do not shrink with ports that come and go")
  func places() async throws {
    let relay = try await RelayFixture()
    let before = try relay.report().connectionLimit
    for _ in 0..<5 {
      try relay.program([Listener(id: "web", port: 0), Listener(id: "dns", port: 0, transport: .udp)])
      #expect(try relay.report().connectionLimit < before, "a listening socket is a descriptor in each thread")
      try relay.program([])
    }
    #expect(try relay.report().connectionLimit == before)
  }

  @Test("that nobody waits for any more are forgotten while the relay does not answer")
  func abandoned() throws {
    let mailbox = try SupervisorMailbox()
    let process = RelayProcess(executable: nil, runDirectory: "/nowhere")
    let loop = SupervisorLoop(
      process: process, mailbox: mailbox, checkInterval: .seconds(1), misunderstandingPause: .seconds(1)
    ) { _, _ in }
    for ticket in 1...1_000 { loop.take(UInt64(ticket), .counters) }
    #expect(loop.questions.count == 1)
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay's datagrams")
struct DatagramTests {
  private static func listener(_ endpoints: [Endpoint], port: UInt16 = 0) -> Listener {
    Listener(id: "dns", port: port, transport: .udp, endpoints: endpoints)
  }

  @Test("take turns by client, and one client stays with its endpoint")
  func turns() async throws {
    let backends = ["a", "b", "c"].map { DatagramBackend.named($0) }
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener(zip(["a", "b", "c"], backends).map { $1.endpoint($0) })])[0]
    let answers = try await offPool {
      let clients = try (0..<6).map { _ in try DatagramClient(port: port) }
      defer { for client in clients { client.close() } }
      return (1...3).map { _ in clients.map { $0.askText() } }
    }
    #expect(answers == Array(repeating: ["a", "b", "c", "a", "b", "c"], count: 3))
    let counters = try relay.counters()[0]
    #expect(counters.open == 6 && counters.total == 6 && counters.bytesIn == 18 && counters.bytesOut == 18)
    #expect(counters.port == ListenerPort(.udp, port))
  }

  @Test("pass unchanged, whatever their size", arguments: [0, 1, 1_472, 9_000, 65_507])
  func sizes(size: Int) async throws {
    let backend = DatagramBackend.echo()
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener([backend.endpoint("a")])])[0]
    var generator = SplitMix64(seed: UInt64(size))
    let sent = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let received = try await offPool {
      let client = try DatagramClient(port: port)
      defer { client.close() }
      return client.ask(sent)
    }
    #expect(received == sent)
  }

  @Test("are answered from the address they were sent to", arguments: [UInt32(0x7f00_0001), 0x7f00_0002, 0x7f01_0203])
  func local(address: UInt32) async throws {
    let backend = DatagramBackend.named("a")
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener([backend.endpoint("a")])])[0]
    let answer = try await offPool {
      let client = try DatagramClient(port: port, address: address)
      defer { client.close() }
      return client.askText()
    }
    #expect(answer == "a")
  }

  @Test("go elsewhere once an endpoint's host says that nobody listens")
  func refused() async throws {
    let backend = DatagramBackend.named("live")
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener([refusingEndpoint("dead"), backend.endpoint("live")])])[0]
    try await offPool {
      let client = try DatagramClient(port: port)
      defer { client.close() }
      client.send([1])
      usleep(50_000)
      #expect(client.askText() == "live")
    }
    let dead = try relay.counters()[0].endpoints.first { $0.id == "dead" }
    #expect(dead?.failures == 1 && dead?.open == 0)
  }

  @Test("go to another endpoint when theirs has left the table")
  func left() async throws {
    let (first, second) = (DatagramBackend.named("first"), DatagramBackend.named("second"))
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener([first.endpoint("a")])])[0]
    try await offPool {
      let client = try DatagramClient(port: port)
      defer { client.close() }
      #expect(client.askText() == "first")
      try relay.program([Self.listener([second.endpoint("b")], port: port)])
      #expect(client.askText() == "second")
      try relay.program([Self.listener([], port: port)])
      client.send([1])
      #expect(try relay.counters()[0].endpoints == [])
    }
  }

  @Test("stay with a draining endpoint while they go on, and let it go when they fall silent")
  func draining() async throws {
    let (old, new) = (DatagramBackend.named("old"), DatagramBackend.named("new"))
    let relay = try await RelayFixture { $0.sessionTimeouts.draining = .milliseconds(300) }
    let port = try relay.program([Self.listener([old.endpoint("old")])])[0]
    try await offPool {
      let client = try DatagramClient(port: port)
      defer { client.close() }
      #expect(client.askText() == "old")
      try relay.program([Self.listener([old.endpoint("old", .draining), new.endpoint("new")], port: port)])
      let late = try DatagramClient(port: port)
      defer { late.close() }
      #expect(late.askText() == "new")
      for _ in 1...6 {
        usleep(100_000)
        #expect(client.askText() == "old")
      }
      #expect(try relay.counters()[0].endpoints.first { $0.id == "old" }?.open == 1)
    }
    #expect(try await eventually { try relay.counters()[0].endpoints.first { $0.id == "old" }?.open == 0 })
  }

  @Test("are forgotten when nobody answers, sooner than when somebody did")
  func expiry() async throws {
    let (silent, talking) = (DatagramBackend.silent(), DatagramBackend.named("a"))
    let relay = try await RelayFixture {
      $0.sessionTimeouts.unanswered = .milliseconds(100)
      $0.sessionTimeouts.answered = .seconds(60)
    }
    let ports = try relay.program([
      Self.listener([silent.endpoint("a")]),
      Listener(id: "other", port: 0, transport: .udp, endpoints: [talking.endpoint("a")]),
    ])
    try await offPool {
      let clients = try ports.map { try DatagramClient(port: $0) }
      clients[0].send([1])
      #expect(clients[1].askText() == "a")
    }
    #expect(try await eventually { try relay.counters().map(\.open) == [0, 1] })
    #expect(silent.received == 1)
  }

  @Test("of a flood of clients take the place of those nobody answers, never of a conversation")
  func flood() async throws {
    let answered = DatagramBackend { $0 == [2] ? nil : [3] }
    let relay = try await RelayFixture { $0.connectionLimit = 16 }
    let port = try relay.program([Self.listener([answered.endpoint("a")])])[0]
    try await offPool {
      let friends = try (0..<3).map { _ in try DatagramClient(port: port) }
      #expect(friends.map { $0.ask([1]) } == Array(repeating: [3], count: 3))
      let strangers = try (0..<50).map { _ in try DatagramClient(port: port) }
      for stranger in strangers { stranger.send([2]) }
      #expect(friends.map { $0.ask([1]) } == Array(repeating: [3], count: 3))
      for client in friends + strangers { client.close() }
    }
    let counters = try relay.counters()[0]
    #expect(counters.open == 8 && counters.total == 53)
  }

  @Test("with no endpoint to take them are counted")
  func nobody() async throws {
    let relay = try await RelayFixture()
    let port = try relay.program([Self.listener([])])[0]
    try await offPool {
      let client = try DatagramClient(port: port)
      client.send([1])
      client.close()
    }
    #expect(try await eventually { try relay.counters()[0].refused == 1 })
  }

  @Test("and connections share a port's number; a killed relay's successor serves both")
  func bothTransports() async throws {
    let (packets, stream) = (DatagramBackend.named("udp"), try Backend.named("tcp"))
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      let table = EndpointTable(
        generation: 1,
        listeners: [
          Listener(id: "t", port: port, endpoints: [stream.endpoint("a")]),
          Listener(id: "u", port: port, transport: .udp, endpoints: [packets.endpoint("a")]),
        ])
      #expect(try await supervisor.program(table).failures == [])
      let client = try DatagramClient(port: port)
      for _ in 1...2 {
        #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "tcp")
        #expect(try await eventually { client.askText() == "udp" })
        let relay = try #require(host.relay)
        kill(relay, SIGKILL)
        // Its descriptors are gone with its last thread.
        #expect(try await eventually { kill(relay, 0) != 0 })
      }
      client.close()
      #expect(try await supervisor.program(EndpointTable(generation: 2)).failures == [])
      let free = cl_bind_datagram(port)
      #expect(free >= 0)
      close(free)
    }
    try await host.end()
  }

  @Test("A UDP port that is taken is a value that names it")
  func taken() async throws {
    let host = try TestHost()
    let blocker = cl_bind_datagram(0)
    let used = UInt16(cl_local_port(blocker))
    try await host.supervised { supervisor in
      let table = EndpointTable(generation: 1, listeners: [Listener(id: "u", port: used, transport: .udp)])
      let result = try await supervisor.program(table)
      #expect(result.failures.map(\.description) == ["listen udp :\(used): bind: address already in use"])
    }
    close(blocker)
    try await host.end()
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Glibc
import Logging
import NIOCore
import Testing

@testable import Overlay

@Suite("The server for names")
struct NameServerTests {
  private static func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? .loopback }

  /// Of this process's own, for those that run at the same time.
  private static func port(_ number: UInt16) -> UInt16 { 20_000 + UInt16(getpid() % 1_000) * 10 + number }

  /// Clients have addresses of this machine's loopback.
  private static func network(_ subnet: String, client: String, service: String, _ virtualIP: String?, _ count: UInt32 = 200)
    -> OverlayNetwork
  {
    OverlayNetwork(
      id: service, name: "net", tunnel: 1, subnet: IPv4Subnet(subnet) ?? IPv4Subnet(base: .loopback, prefix: 32),
      gateway: address("127.53.0.1"), endpoints: [OverlayEndpoint(id: "c", names: ["c"], address: address(client), nodeID: "n")],
      services: [
        OverlayService(
          id: "s", names: [service], virtualIP: virtualIP.map(address), strategy: .roundRobin,
          endpoints: (0..<count).map { IPv4Address(bits: 0x0A00_0100 + $0) })
      ])
  }

  private static let near = network("127.53.1.0/24", client: "127.53.1.1", service: "web", "10.0.1.2")

  private static func server(
    _ port: UInt16, at addresses: [String], _ networks: [OverlayNetwork], patience: Duration = .seconds(1),
    silence: Duration = .milliseconds(300), forward: [(String, UInt16)] = []
  ) -> TestNameServer {
    let (opened, open) = AsyncStream.makeStream(of: IPv4Address.self)
    let server = NameServer(
      port: Int(port), patience: patience, silence: silence, logger: Logger(label: "names"),
      servers: { forward.compactMap { try? SocketAddress(ipAddress: $0.0, port: Int($0.1)) } }, opened: { open.yield($0) })
    server.know(networks)
    server.serve([address("127.53.1.1"), address("127.0.0.1")])
    server.listen(at: Set(addresses.map(address)))
    return TestNameServer(server: server, addresses: addresses.count, opened: opened)
  }

  /// The body begins when all of them can be asked.
  private static func running(_ servers: TestNameServer..., body: () async throws -> Void) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for server in servers { group.addTask { await server.server.run() } }
      for server in servers { await server.open(server.addresses) }
      try await body()
      group.cancelAll()
    }
  }

  /// From `client`; `nil` when nothing comes.
  private static func ask(
    _ name: String, at server: String, _ port: UInt16, from client: String = "127.53.1.1", isStream: Bool = false
  ) async throws -> DNSPackets.Answer? {
    await onThread { NameClient(client, server, port, isStream: isStream)?.ask(DNSPackets.question(name)) }
      .flatMap(DNSPackets.read)
  }

  /// And how long it took.
  private static func timed(_ body: () async throws -> DNSPackets.Answer?) async throws -> (DNSPackets.Answer?, Duration) {
    let begin = ContinuousClock.now
    let answer = try await body()
    return (answer, ContinuousClock.now - begin)
  }

  private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in Thread.detachNewThread { continuation.resume(returning: body()) } }
  }

  @Test("answers by datagrams and connections, at an address that this host has yet to get too, and asks others for the rest")
  func answers() async throws {
    let far = Self.network("127.0.0.0/24", client: "127.0.0.1", service: "far.example", nil)
    let upstream = Self.server(Self.port(1), at: ["127.53.0.9"], [far])
    let server = Self.server(
      Self.port(0), at: ["127.53.0.1", "198.51.100.53"], [Self.near], forward: [("127.53.0.9", Self.port(1))])
    try await Self.running(upstream, server) {
      for isStream in [false, true] {
        #expect(try await Self.ask("web", at: "127.53.0.1", Self.port(0), isStream: isStream) == .init(records: ["10.0.1.2"]))
        #expect(try await Self.ask("c.net", at: "127.53.0.1", Self.port(0), isStream: isStream) == .init(records: ["127.53.1.1"]))
        #expect(try await Self.ask("none.example", at: "127.53.0.1", Self.port(0), isStream: isStream) == .init(code: 2))
      }
      // More than a datagram takes: a client with a connection gets all of it.
      let cut = try await Self.ask("far.example", at: "127.53.0.1", Self.port(0))
      #expect(cut?.isCut == true && cut?.records.count == 30)
      let whole = try await Self.ask("far.example", at: "127.53.0.1", Self.port(0), isStream: true)
      #expect(whole?.isCut == false && Set(whole?.records ?? []).count == 200)
      let open = try String(contentsOfFile: "/proc/net/udp", encoding: .utf8)
      #expect(open.contains("356433C6:\(String(Self.port(0), radix: 16, uppercase: true))"))
    }
  }

  @Test("holds an answer until its client's rules are in force, though not for ever")
  func hold() async throws {
    let hasty = Self.server(Self.port(2), at: ["127.53.0.1"], [Self.near], patience: .milliseconds(400))
    let patient = Self.server(Self.port(2), at: ["127.53.0.2"], [Self.near], patience: .seconds(600))
    try await Self.running(hasty, patient) { () async throws in
      #expect(try await Self.ask("web", at: "127.53.0.1", Self.port(2)) == .init(records: ["10.0.1.2"]))
      let (unready, held) = try await Self.timed {
        try await Self.ask("web", at: "127.53.0.1", Self.port(2), from: "127.53.1.2")
      }
      #expect(unready == .init(records: ["10.0.1.2"]) && held >= .milliseconds(400))
      let waiting = try #require(NameClient("127.53.1.2", "127.53.0.2", Self.port(2), isStream: false))
      #expect(waiting.send(DNSPackets.question("web")))
      // Questions come in their order: when this one is answered, the other has been read.
      #expect(try await Self.ask("web", at: "127.53.0.2", Self.port(2)) == .init(records: ["10.0.1.2"]))
      patient.server.serve([Self.address("127.53.1.2")])
      let ready = await Self.onThread { waiting.answer() }
      #expect(ready.flatMap(DNSPackets.read) == .init(records: ["10.0.1.2"]))
    }
  }

  @Test("goes on to the next server after a silence, fails soon when there is none to ask, and never asks itself")
  func failures() async throws {
    let silent = try #require(NameClient.silent(at: "127.53.0.8", Self.port(5)))
    defer { close(silent) }
    let far = Self.network("127.0.0.0/24", client: "127.0.0.1", service: "far.example", "10.9.9.9")
    let upstream = Self.server(Self.port(6), at: ["127.53.0.9"], [far])
    let patient = Self.server(
      Self.port(3), at: ["127.53.0.1"], [],
      forward: [("127.53.0.8", Self.port(5)), ("127.53.0.7", Self.port(5)), ("127.53.0.9", Self.port(6))])
    let alone = Self.server(
      Self.port(4), at: ["127.53.0.1"], [], silence: .seconds(3_600), forward: [("127.53.0.1", Self.port(4))])
    let hopeless = Self.server(Self.port(7), at: ["127.53.0.1"], [], forward: [("127.53.0.8", Self.port(5))])
    try await Self.running(upstream, patient, alone, hopeless) {
      #expect(
        try await Self.ask("far.example", at: "127.53.0.9", Self.port(6), from: "127.0.0.1") == .init(records: ["10.9.9.9"]))
      #expect(try await Self.ask("far.example", at: "127.53.0.1", Self.port(3)) == .init(records: ["10.9.9.9"]))
      // No server's silence is waited for, which here would be for longer than anybody waits.
      #expect(try await Self.ask("far.example", at: "127.53.0.1", Self.port(4)) == .init(code: 2))
      let (hopeless, twice) = try await Self.timed { try await Self.ask("far.example", at: "127.53.0.1", Self.port(7)) }
      #expect(hopeless == .init(code: 2) && twice >= .milliseconds(600))
    }
  }

  @Test("asks a client's own servers in place of the host's, until it has none, and never for names of the networks")
  func ownServers() async throws {
    let far = { Self.network("127.0.0.0/24", client: "127.0.0.1", service: "far.example", $0) }
    let hosts = Self.server(Self.port(9), at: ["127.53.0.8"], [far("10.8.8.8")])
    let clients = Self.server(Self.port(9), at: ["127.53.0.9"], [far("10.9.9.9")])
    let address = "127.53.0.3"
    let server = Self.server(Self.port(9), at: [address], [Self.near], forward: [("127.53.0.8", Self.port(9))])
    let own = try ["127.53.0.9", address].map { try SocketAddress(ipAddress: $0, port: Int(Self.port(9))) }
    func answers() async throws -> [[String]?] {
      var answers: [[String]?] = []
      for (name, client) in [("far.example", "127.53.1.1"), ("far.example", "127.53.2.1"), ("web", "127.53.1.1")] {
        answers.append(try await Self.ask(name, at: address, Self.port(9), from: client)?.records)
      }
      return answers
    }
    try await Self.running(hosts, clients, server) { () async throws in
      #expect(try await answers() == [["10.8.8.8"], ["10.8.8.8"], ["10.0.1.2"]])
      server.server.forward([Self.address("127.53.1.1"): own.reversed()])
      #expect(try await answers() == [["10.9.9.9"], ["10.8.8.8"], ["10.0.1.2"]])
      server.server.forward([Self.address("127.53.1.1"): [own[1]], Self.address("127.53.2.1"): own])
      #expect(try await answers() == [[], ["10.9.9.9"], ["10.0.1.2"]])
      server.server.forward([Self.address("127.53.1.1"): []])
      #expect(try await answers() == [["10.8.8.8"], ["10.8.8.8"], ["10.0.1.2"]])
    }
  }

  @Test("is heard where it is to be heard, and there alone")
  func moves() async throws {
    let server = Self.server(Self.port(8), at: ["127.53.0.1"], [Self.near])
    try await Self.running(server) { () async throws in
      #expect(try await Self.ask("web", at: "127.53.0.1", Self.port(8)) == .init(records: ["10.0.1.2"]))
      server.server.listen(at: [Self.address("127.53.0.2")])
      await server.open(1)
      #expect(try await Self.ask("web", at: "127.53.0.2", Self.port(8)) == .init(records: ["10.0.1.2"]))
      #expect(try await Self.ask("web", at: "127.53.0.1", Self.port(8)) == nil)
      server.server.listen(at: [Self.address("127.53.0.1")])
      await server.open(1)
      #expect(try await Self.ask("web", at: "127.53.0.1", Self.port(8)) == .init(records: ["10.0.1.2"]))
    }
  }
}

/// A server that tells when it can be asked.
private struct TestNameServer: Sendable {
  let server: NameServer
  /// So many at the beginning.
  let addresses: Int
  let opened: AsyncStream<IPv4Address>

  /// Returns when it can be asked at so many more.
  func open(_ count: Int) async {
    var opened = opened.makeAsyncIterator()
    for _ in 0..<count { _ = await opened.next() }
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

/// Both ends of many connections through a relay's process, without a thread for each.
@Suite("A crowd of clients", .serialized, .timeLimit(.minutes(2)))
struct CrowdTests {
  @Test("of 9,000 at a time is served, costs less than 10 KB each, and leaves nothing behind")
  func nineThousand() async throws {
    try await offPool {
      cl_raise_descriptor_limit()
      let crowd = try Crowd(descriptors: 20_000)
      let before = crowd.memory
      for _ in 0..<90 { try crowd.join(100) }
      #expect(crowd.count == 9_000)
      for round in 1...2 { try crowd.speak("\(round)") }
      #expect(try crowd.relay.counters()[0].open == 9_000)
      let grown = crowd.memory - before
      #expect(grown < 9_000 * 10_000, "\(grown / 9_000) bytes each")
      crowd.leave()
      try crowd.waitUntilEmpty()
      #expect(crowd.memory - before < 8 << 20, "\(crowd.memory - before) bytes are left")
      // And again, in the same places.
      try crowd.join(100)
      try crowd.speak("again")
      #expect(try crowd.relay.counters()[0].refused == 0)
      crowd.leave()
    }
  }

  @Test("of a hundred who do not read holds a buffer each and nobody else up")
  func slowReaders() async throws {
    try await offPool {
      let crowd = try Crowd(descriptors: 1_000)
      try crowd.join(2)
      try crowd.speak("before")
      let before = crowd.memory
      try crowd.join(100, buffer: 131_072)
      let sent = try crowd.flood(from: 2)
      #expect(crowd.memory - before < 100 * (64 << 10) + 8 << 20, "\(crowd.memory - before) bytes for what a hundred do not read")
      try crowd.speak("meanwhile", first: 2)
      try crowd.readAll(sent, from: 2)
      #expect(crowd.memory - before < 8 << 20, "\(crowd.memory - before) bytes are left")
      crowd.leave()
      try crowd.waitUntilEmpty()
    }
  }
}

/// On the thread that makes it, which gets a network of its own: so many ports are taken that others would find none.
private final class Crowd {
  let relay: ProcessFixture
  private let listener: Int32
  private let port: UInt16
  private var clients: [ScriptPeer] = []
  private var servers: [ScriptPeer] = []

  init(descriptors: Int) throws {
    let result = cl_own_loopback()
    guard result == 0 else { throw Mismatch("no network of its own: errno \(-result)") }
    // In that network only: what a crowd does not read shall not take the machine's memory.
    for name in ["tcp_rmem", "tcp_wmem"] { Self.set(name, "4096 65536 262144") }
    relay = try ProcessFixture(descriptors: descriptors)
    listener = cl_listen(0, 512)
    let endpoint = Endpoint(id: "a", address: .loopback, port: UInt16(cl_local_port(listener)))
    port = try relay.program([Listener(id: "web", port: 0, endpoints: [endpoint])])[0]
  }

  private static func set(_ name: String, _ value: String) {
    let descriptor = open("/proc/sys/net/ipv4/\(name)", O_WRONLY | O_CLOEXEC)
    _ = write(descriptor, value, value.utf8.count)
    close(descriptor)
  }

  deinit {
    leave()
    close(listener)
  }

  var count: Int { clients.count }
  var memory: Int { relay.memory }

  /// So many more connect, and the endpoint accepts them.
  func join(_ more: Int, buffer: Int32? = nil) throws {
    for _ in 0..<more {
      clients.append(try ScriptPeer(to: ListenerPort(.tcp, port), from: "127.0.0.1", receiveBuffer: buffer))
    }
    for _ in 0..<more {
      let server = try accept()
      if var buffer { setsockopt(server.descriptor, SOL_SOCKET, SO_SNDBUF, &buffer, 4) }
      servers.append(server)
    }
    try match()
  }

  private func accept() throws -> ScriptPeer {
    var watched = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, 5_000) > 0 else {
      throw Mismatch("the endpoint has \(servers.count) connections of \(clients.count)")
    }
    var address: (UInt64, UInt64) = (0, 0)
    let descriptor = cl_accept(listener, &address.0, &address.1)
    guard descriptor >= 0 else { throw Mismatch("accept: errno \(-descriptor)") }
    return ScriptPeer(descriptor: descriptor)
  }

  /// Threads pass connections on in an order of their own: each client says which one it is.
  private func match() throws {
    let first = matched
    for index in first..<clients.count { try clients[index].act(.sends(.literal(Self.name(index)))) }
    var found: [Int: ScriptPeer] = [:]
    for server in servers[first...] {
      guard server.wait(for: POLLIN, .seconds(5)), let name = try server.receiveSome(8),
        let index = Int(String(decoding: name, as: UTF8.self))
      else { throw Mismatch("a client's first word is missing") }
      found[index - Self.base] = server
    }
    for index in first..<clients.count {
      guard let server = found[index] else { throw Mismatch("client \(index) was not heard") }
      servers[index] = server
    }
    matched = clients.count
  }

  private var matched = 0
  private static let base = 10_000_000
  private static func name(_ index: Int) -> String { String(index + base) }

  /// Everyone, or the first ones, say something and are answered.
  func speak(_ text: String, first: Int? = nil) throws {
    let count = first ?? clients.count
    for index in 0..<count { try clients[index].act(.sends(.literal("\(text)?\(index)"))) }
    for index in 0..<count {
      try servers[index].act(.sees(.literal("\(text)?\(index)")))
      try servers[index].act(.sends(.literal("\(text)!\(index)")))
    }
    for index in 0..<count { try clients[index].act(.sees(.literal("\(text)!\(index)"))) }
  }

  /// The endpoint's ends send until nobody takes more. Returns how much each sent.
  func flood(from first: Int) throws -> [Int] {
    let bytes = Text.pattern(8 << 20).bytes
    var sent = [Int](repeating: 0, count: servers.count - first)
    var quiet = 0
    while quiet < 5 {
      var moved = 0
      for index in sent.indices {
        let count = try servers[first + index].sendSome(bytes[sent[index]...].prefix(65_536))
        sent[index] += count
        moved += count
        guard sent[index] < bytes.count else { throw Mismatch("\(bytes.count) bytes were taken and not read") }
      }
      quiet = moved == 0 ? quiet + 1 : 0
      if moved == 0 { usleep(20_000) }
    }
    return sent
  }

  func readAll(_ sent: [Int], from first: Int) throws {
    for (index, count) in sent.enumerated() { try clients[first + index].see(.pattern(count)) }
  }

  func leave() {
    for peer in clients + servers { peer.close() }
    (clients, servers, matched) = ([], [], 0)
  }

  func waitUntilEmpty() throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try relay.counters()[0].open > 0 {
      guard ContinuousClock.now < deadline else { throw Mismatch("connections are left") }
      usleep(5_000)
    }
  }
}

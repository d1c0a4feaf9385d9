// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import DataPlane

/// Real sockets in a network namespace of their own, brought into each state.
@Suite("Open connections counted in a network namespace")
struct NetworkNamespaceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: Int
    var client = "10.9.0.2"
    var accepts = true
    /// Whether the listener waits for data before it takes a connection for one.
    var defers = false
    let act: @Sendable (_ server: TestClient, _ client: TestClient) throws -> Void

    init(
      _ name: String, _ expected: Int, client: String = "10.9.0.2", accepts: Bool = true, defers: Bool = false,
      _ act: @escaping @Sendable (TestClient, TestClient) throws -> Void = { _, _ in }
    ) {
      (testDescription, self.expected, self.client, self.accepts, self.defers) = (name, expected, client, accepts, defers)
      self.act = act
    }
  }

  static let cases = [
    Case("established", 1),
    Case("established and not accepted", 1, accepts: false),
    Case("half open", 1, accepts: false, defers: true),
    Case("from loopback", 0, client: "127.0.0.1"),
    Case("from its own address", 0, client: "10.9.0.1"),
    Case("ended by the client", 1) { _, client in client.finish() },
    Case("ended by the client and not accepted", 1, accepts: false) { _, client in client.finish() },
    Case("ended by the server, which still reads", 1) { server, _ in server.finish() },
    Case("closed by the server, the client stays", 0) { server, _ in server.close() },
    Case("closed by both, the server first", 0) { server, client in
      server.close()
      _ = try client.receiveToEnd()
      client.close()
    },
    Case("reset", 0) { _, client in client.reset() },
    Case("ended by the server with bytes under way", 1) { server, _ in
      try fill(server)
      server.finish()
    },
    Case("closed by the server with bytes under way", 1) { server, _ in
      try fill(server)
      server.close()
    },
    Case("closed by both with bytes under way", 1) { server, client in
      client.finish()
      #expect(try server.receive().isEmpty)
      try fill(server)
      server.close()
    },
  ]

  /// Until the peer, which does not read, takes no more.
  static func fill(_ socket: TestClient) throws {
    let bytes = [UInt8](repeating: 1, count: 65_536)
    while send(socket.descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
  }

  @Test("counts what it would cut off", arguments: cases, ["0.0.0.0", "::"])
  func count(_ state: Case, _ address: String) async throws {
    try await inNetwork { network in
      let listener = try Listener(address, defers: state.defers)
      let other = try Listener(address)
      let client = try TestClient(from: state.client, to: listener.port)
      let unrelated = try TestClient(from: state.client, to: other.port)
      let server = state.accepts ? try listener.accept() : TestClient(descriptor: -1)
      try state.act(server, client)
      try expectSoon(state.expected) { try network.count([listener.port]) }
      // What the kernel closes by itself must not come into it.
      withExtendedLifetime((listener, other, unrelated)) {}
    }
  }

  @Test("of several ports and thousands of sockets, and of no port none")
  func many() async throws {
    try await inNetwork { network in
      let (listener, other) = (try Listener("::", backlog: 4096), try Listener("0.0.0.0"))
      let clients = try (0..<2000).map { _ in try TestClient(from: "10.9.0.2", to: listener.port) }
      let single = try TestClient(from: "10.9.0.2", to: other.port)
      #expect(try network.count([listener.port]) == 2000)
      #expect(try network.count([listener.port, other.port]) == 2001)
      #expect(try network.count([]) == 0)
      // What it listens on, whatever that is.
      #expect(try network.count(nil) == 2001)
      for client in clients { client.close() }
      single.close()
    }
  }

  @Test("by several at a time, each with a whole answer")
  func together() async throws {
    try await withNetwork { network in
      let listener = try Listener("::", backlog: 1024)
      let clients = try (0..<800).map { _ in try TestClient(from: "10.9.0.2", to: listener.port) }
      return (listener, clients)
    } body: { network, sockets in
      try await withThrowingTaskGroup { group in
        for _ in 0..<20 { group.addTask { try await network.openConnections(toPorts: [sockets.0.port]) } }
        for try await count in group { #expect(count == 800) }
      }
      for client in sockets.1 { client.close() }
    }
  }

  @Test("a process in the host's own network, and one that is gone, are refused")
  func refused() async throws {
    await #expect { try await NetworkNamespace.of(process: Int(getpid())) } throws: {
      ($0 as? DataPlaneError)?.code == .hostNetwork
    }
    await #expect { try await NetworkNamespace.of(process: 1 << 30) } throws: { ($0 as? DataPlaneError)?.code == .absent }
  }

  @Test("the thread that opens one is where it was, and the namespace is still told of when its process is gone")
  func remains() async throws {
    let network = try await inNetwork { network in
      let own = FileIdentity(following: "/proc/thread-self/ns/net")
      _ = try NetworkNamespace.open(threadNumber())
      #expect(FileIdentity(following: "/proc/thread-self/ns/net") == own)
      return network
    }
    #expect(try await network.openConnections(toPorts: [80]) == 0)
  }

  /// Sockets change state a moment after the call that makes them.
  private func expectSoon(_ expected: Int, _ count: () throws -> Int) throws {
    for _ in 0..<200 where try count() != expected { usleep(5000) }
    #expect(try count() == expected)
    // And it stays so.
    usleep(20_000)
    #expect(try count() == expected)
  }

  private func inNetwork<Value: Sendable>(_ body: @escaping @Sendable (NetworkNamespace) throws -> Value) async throws -> Value {
    try await offPool {
      let result = cl_unshare_network()
      guard result == 0 else { throw DataPlaneError.system("unshare", result) }
      try run("ip link set lo up && ip address add 10.9.0.1/32 dev lo && ip address add 10.9.0.2/32 dev lo")
      // A thread has its namespace under its own number, as a process has.
      return try body(NetworkNamespace.open(threadNumber()))
    }
  }

  /// Sockets stay in the namespace they were made in, so the thread that made them may end.
  private func withNetwork<Sockets: Sendable>(
    _ make: @escaping @Sendable (NetworkNamespace) throws -> Sockets,
    body: (NetworkNamespace, Sockets) async throws -> Void
  ) async throws {
    let (network, sockets) = try await inNetwork { network in (network, try make(network)) }
    try await body(network, sockets)
  }

  private func run(_ script: String) throws {
    let words: [String] = ["sh", "-c", script]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    var status: Int32 = -1
    try #require(posix_spawn(&process, "/bin/sh", nil, nil, &arguments, environ) == 0)
    try #require(waitpid(process, &status, 0) == process && status == 0)
  }
}

/// As the kernel numbers threads: /proc has them by it.
private func threadNumber() -> Int {
  var bytes = [CChar](repeating: 0, count: 64)
  let count = readlink("/proc/thread-self", &bytes, bytes.count)
  let path = String(decoding: bytes[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return path.split(separator: "/").last.flatMap { Int($0) } ?? 0
}

private final class Listener: Sendable {
  let descriptor: Int32
  let port: UInt16

  init(_ address: String, defers: Bool = false, backlog: Int32 = 16) throws {
    let family = address.contains(":") ? AF_INET6 : AF_INET
    descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    if defers {
      var seconds: Int32 = 30
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, 4)
    }
    // All addresses of the family, a port of the kernel's choice.
    guard listen(descriptor, backlog) == 0 else { throw DataPlaneError(.system, "listen", errno: errno) }
    port = UInt16(cl_local_port(descriptor))
  }

  func accept() throws -> TestClient {
    let connection = Glibc.accept(descriptor, nil, nil)
    guard connection >= 0 else { throw DataPlaneError(.system, "accept", errno: errno) }
    return TestClient(descriptor: connection)
  }

  deinit { close(descriptor) }
}

extension TestClient {
  /// From one of the namespace's addresses to 10.9.0.1, or over loopback.
  fileprivate init(from source: String, to port: UInt16) throws {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.init(descriptor: client)
    let target = source == "127.0.0.1" ? source : "10.9.0.1"
    try Self.name(source, 0) { bind(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    try Self.name(target, port) { connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
  }

  private static func name(_ address: String, _ port: UInt16, _ call: (UnsafePointer<sockaddr>) -> Int32) throws {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &name.sin_addr)
    let result = withUnsafePointer(to: &name) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, call) }
    guard result == 0 else { throw DataPlaneError(.system, address, errno: errno) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay that is a service of its own", .serialized, .timeLimit(.minutes(1)))
struct ExternalRelayTests {
  @Test("is never started by the supervisor, and is programmed as soon as it comes")
  func late() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised(external: true) { supervisor in
      async let result = supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      try await Task.sleep(for: .milliseconds(200))
      #expect(host.relay == nil)
      let relay = try host.startRelay()
      #expect(try await result.failures == [])
      #expect(host.relay == relay)
      #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
    }
    try await host.end()
  }

  @Test("that was killed and started again gets the same sockets, and refuses nobody")
  func killed() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    let first = try host.startRelay()
    try await host.supervised(external: true) { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      let socket = host.listeningSocket(port)
      kill(first, SIGKILL)
      #expect(try await eventually { waitpid(first, nil, WNOHANG) != 0 })
      let waiting = try TestClient(port: port)
      _ = try host.startRelay()
      #expect(try await offPool { try waiting.receiveText() } == "a")
      #expect(host.listeningSocket(port) == socket)
      waiting.close()
    }
    try await host.end()
  }

  @Test("SIGHUP puts the installed program in its place under the same process id, while open connections finish")
  func replaced() async throws {
    let echo = try Backend.echo()
    let host = try TestHost()
    let port = freePort()
    let relay = try host.startRelay()
    try await host.supervised(external: true) { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [echo.endpoint("a")]))
      let clients = try (0..<10).map { _ in try TestClient(port: port) }
      try await Self.expectEchoes(clients, "one")
      for _ in 0..<3 {
        kill(relay, SIGHUP)
        #expect(try await eventually { try await supervisor.counters().map(\.total) == [0] }, "a new program")
        #expect(try await offPool { try ForwardingTests.echoed("new", port: port) } == "new")
        #expect(host.relay == relay, "no end is seen")
      }
      try await Self.expectEchoes(clients, "two")
      for client in clients { client.close() }
      #expect(try await eventually { Self.children(of: relay).isEmpty }, "the copy that held the connections has ended")
    }
    try await host.end()
  }

  @Test("A copy that holds connections for a replaced relay ends when it is told to")
  func copyTerminated() async throws {
    let echo = try Backend.echo()
    let host = try TestHost()
    let port = freePort()
    let relay = try host.startRelay()
    try await host.supervised(external: true) { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [echo.endpoint("a")]))
      let client = try TestClient(port: port)
      try await Self.expectEchoes([client], "one")
      kill(relay, SIGHUP)
      #expect(try await eventually { try await supervisor.counters().map(\.total) == [0] }, "a new program")
      let copy = try #require(Int32(Self.children(of: relay).split(separator: " ").first ?? ""))
      kill(copy, SIGTERM)
      try await Self.expectEchoes([client], "it has its 10 s")
      client.close()
      #expect(try await eventually { Self.children(of: relay).isEmpty })
    }
    try await host.end()
  }

  @Test("What a replaced relay still carries counts: for least connections, and for those who wait for an endpoint")
  func succession() async throws {
    let (a, b) = (try Backend.holding("a"), try Backend.holding("b"))
    let host = try TestHost()
    let port = freePort()
    let relay = try host.startRelay()
    try await host.supervised(external: true) { supervisor in
      var table = host.table(1, port: port, [a.endpoint("a")])
      table.listeners[0].strategy = .leastConnections
      _ = try await supervisor.program(table)
      var old = try await offPool { try ForwardingTests.hold(3, port: port) }
      table.generation = 2
      table.listeners[0].endpoints = [a.endpoint("a"), b.endpoint("b")]
      _ = try await supervisor.program(table)
      for generation in 1...2 {
        kill(relay, SIGHUP)
        #expect(try await eventually { try await supervisor.counters().map(\.total) == [0] }, "program \(generation)")
        #expect(try await eventually { try await supervisor.openConnections(of: ["a", "b"]) == ["a": 3, "b": 0] })
        let report = try await supervisor.report()
        #expect(report?.inherited == 3 && report?.connections == 0)
      }
      let new = try await offPool { try ForwardingTests.hold(5, port: port) }
      #expect(new.prefix(3).map(\.name) == ["b", "b", "b"], "until both have three")
      #expect(Set(new.suffix(2).map(\.name)) == ["a", "b"])

      table.generation = 3
      table.listeners[0].endpoints = [a.endpoint("a", .draining), b.endpoint("b")]
      _ = try await supervisor.program(table)
      for client in new { client.client.close() }
      #expect(try await eventually { try await supervisor.openConnections(of: ["a", "b"]) == ["a": 3, "b": 0] })
      old.removeLast().client.close()
      #expect(try await eventually { try await supervisor.openConnections(of: ["a"]) == ["a": 2] })
      async let drained: Void = supervisor.waitUntilDrained(["a"])
      for client in old { client.client.close() }
      try await drained
      #expect(try await eventually { Self.children(of: relay).isEmpty })
    }
    try await host.end()
  }

  private static func expectEchoes(_ clients: [TestClient], _ text: String) async throws {
    for client in clients { try client.send(text) }
    let answers = try await offPool { try clients.map { try $0.receiveText() } }
    #expect(answers == Array(repeating: text, count: clients.count))
  }

  private static func children(of process: Int32) -> String {
    let descriptor = open("/proc/\(process)/task/\(process)/children", O_RDONLY)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 256)
    return String(decoding: bytes[..<max(0, read(descriptor, &bytes, bytes.count))], as: UTF8.self)
  }
}

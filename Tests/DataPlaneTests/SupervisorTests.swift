// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay's supervisor", .serialized, .timeLimit(.minutes(1)))
struct SupervisorTests {
  @Test("starts a relay, programs it and leaves it running")
  func life() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    try await host.supervised { supervisor in
      let port = freePort()
      let result = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      #expect(result == ProgramResult(generation: 1, failures: []))
      #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
    }
    #expect(try #require(host.relay) > 1)
    try await host.end()
  }

  @Test("a killed relay refuses nobody: clients that wait in the queue are served by the next one")
  func killed() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      for _ in 0..<3 {
        let relay = try #require(host.relay)
        // Stopped first, so that the clients are in the queue for certain when it dies.
        kill(relay, SIGSTOP)
        #expect(try await eventually { host.isStopped(relay) })
        let clients = try (0..<50).map { _ in try TestClient(port: port) }
        kill(relay, SIGKILL)
        let answers = try await offPool { try clients.map { try $0.receiveText() } }
        #expect(answers == Array(repeating: "a", count: 50))
        for client in clients { client.close() }
        #expect(host.relay != relay)
      }
    }
    try await host.end()
  }

  @Test("a new supervisor takes over: no connection is lost, nothing is bound again, the table is still served")
  func takeover() async throws {
    let echo = try Backend.echo()
    let host = try TestHost()
    let port = freePort()
    let table = host.table(5, port: port, [echo.endpoint("a")])
    try await host.supervised { _ = try await $0.program(table) }
    let relay = try #require(host.relay)
    let socket = host.listeningSocket(port)
    let client = try TestClient(port: port)
    // Nobody supervises; the relay serves on.
    #expect(try await offPool { try ForwardingTests.echoed("alone", port: port) } == "alone")
    try await host.supervised { supervisor in
      #expect(try await supervisor.program(table).failures == [])
      #expect(try await supervisor.counters().map(\.total) == [2])
      // The sockets are kept by the new one: a relay that dies now leaves them open.
      kill(relay, SIGSTOP)
      let waiting = try TestClient(port: port)
      try client.send("kept")
      kill(relay, SIGCONT)
      #expect(try await offPool { try client.receiveText() } == "kept")
      try waiting.send("waited")
      kill(relay, SIGKILL)
      let late = try TestClient(port: port)
      try late.send("late")
      #expect(try await offPool { try late.receiveText() } == "late")
      #expect(host.listeningSocket(port) == socket)
      for each in [client, waiting, late] { each.close() }
    }
    try await host.end()
  }

  @Test("a port that is taken is a value that names it, and the other listeners work")
  func taken() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let (free, blocker) = (freePort(), cl_listen(0, 1))
    let used = UInt16(cl_local_port(blocker))
    try await host.supervised { supervisor in
      var table = host.table(1, port: free, [backend.endpoint("a")])
      table.listeners.append(Listener(id: "taken", port: used, endpoints: [backend.endpoint("a")]))
      let result = try await supervisor.program(table)
      #expect(result.failures.map(\.listener) == ["taken"])
      #expect(result.failures.first?.description == "listen tcp :\(used): bind: address already in use")
      #expect(supervisor.failures == result.failures)
      #expect(try await offPool { try TestClient.whoAnswers(port: free) } == "a")
      close(blocker)
      table.generation = 2
      #expect(try await supervisor.program(table).failures == [])
      #expect(supervisor.failures == [])
      #expect(try await offPool { try TestClient.whoAnswers(port: used) } == "a")
    }
    try await host.end()
  }

  @Test("a listener that leaves the table frees its port")
  func freed() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      #expect(try await supervisor.program(EndpointTable(generation: 2)).generation == 2)
      let socket = cl_listen(port, 1)
      #expect(socket >= 0)
      close(socket)
    }
    try await host.end()
  }

  @Test("a drain can wait until an endpoint has no open connection")
  func drain() async throws {
    let (leaving, staying) = (try Backend.holding("leaving"), try Backend.holding("staying"))
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [leaving.endpoint("l"), staying.endpoint("s")]))
      let held = try await offPool { try ForwardingTests.hold(4, port: port) }
      #expect(try await supervisor.openConnections(of: ["l", "s", "x"]) == ["l": 2, "s": 2, "x": 0])
      _ = try await supervisor.program(host.table(2, port: port, [leaving.endpoint("l", .draining), staying.endpoint("s")]))
      async let drained: Void = supervisor.waitUntilDrained(["l"])
      for (name, client) in held where name == "leaving" { client.close() }
      try await drained
      #expect(try await supervisor.openConnections(of: ["l"]) == ["l": 0])
      for (name, client) in held where name == "staying" { client.close() }
    }
    try await host.end()
  }

  @Test("shutdown frees the ports, lets open connections finish, and a later table starts the relay again")
  func shutDown() async throws {
    let echo = try Backend.echo()
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [echo.endpoint("a")]))
      let first = try #require(host.relay)
      let client = try TestClient(port: port)
      try client.send("one")
      #expect(try await offPool { try client.receiveText() } == "one")
      try await supervisor.shutdownRelay()
      #expect(throws: DataPlaneError.self) { try TestClient(port: port) }
      #expect(try await supervisor.counters() == [])
      try client.send("two")
      #expect(try await offPool { try client.receiveText() } == "two")
      client.close()
      #expect(try await eventually { kill(first, 0) != 0 })
      _ = try await supervisor.program(host.table(2, port: port, [echo.endpoint("a")]))
      #expect(try await offPool { try ForwardingTests.echoed("three", port: port) } == "three")
    }
    try await host.end()
  }

  @Test("SIGTERM to the relay: a successor serves at once while open connections finish")
  func terminated() async throws {
    let echo = try Backend.echo()
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [echo.endpoint("a")]))
      let first = try #require(host.relay)
      let client = try TestClient(port: port)
      try client.send("one")
      #expect(try await offPool { try client.receiveText() } == "one")
      kill(first, SIGTERM)
      #expect(try await offPool { try ForwardingTests.echoed("new", port: port) } == "new")
      try client.send("two")
      #expect(try await offPool { try client.receiveText() } == "two")
      client.close()
      #expect(try await eventually { kill(first, 0) != 0 })
      #expect(try await eventually { host.relay != first && host.relay != nil })
    }
    try await host.end()
  }

  @Test("carries tables of many packets and more sockets than one packet takes")
  func large() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let listeners = (0..<300).map { number in
      let drained = (0..<20).map { Endpoint(id: "task-\(number)-\($0)", address: .loopback, port: 1, state: .draining) }
      return Listener(id: "service-\(number)", port: UInt16(21_000 + number), endpoints: [backend.endpoint("a")] + drained)
    }
    try await host.supervised { supervisor in
      let result = try await supervisor.program(EndpointTable(generation: 1, listeners: listeners))
      #expect(result.failures == [])
      #expect(try await offPool { try TestClient.whoAnswers(port: 21_299) } == "a")
    }
    try await host.supervised { supervisor in
      let result = try await supervisor.program(EndpointTable(generation: 2, listeners: listeners))
      #expect(result.failures == [])
      #expect(try await offPool { try TestClient.whoAnswers(port: 21_000) } == "a")
    }
    try await host.end()
  }

  @Test("callers that wait are told when the supervisor stops or they are cancelled")
  func stopped() async throws {
    let host = try TestHost()
    let supervisor = try RelaySupervisor(executable: "/nonexistent", runDirectory: host.directory.path)
    let running = Task { try await supervisor.run() }
    let cancelled = Task { try await supervisor.program(EndpointTable(generation: 1)) }
    let waiting = Task { try await supervisor.program(EndpointTable(generation: 2)) }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    running.cancel()
    _ = await running.result
    let error = await #expect(throws: DataPlaneError.self) { try await waiting.value }
    #expect(error?.code == .stopped)
    await #expect(throws: DataPlaneError.self) { try await supervisor.counters() }
  }
}

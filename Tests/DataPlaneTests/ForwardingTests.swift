// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay", .serialized, .timeLimit(.minutes(1)))
struct ForwardingTests {
  @Test("gives each endpoint its exact turn")
  func roundRobin() async throws {
    let backends = try ["a", "b", "c"].map(Backend.named)
    let relay = try await RelayFixture()
    let endpoints = zip(backends, ["a", "b", "c"]).map { $0.endpoint($1) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: endpoints)])[0]
    let answers = try await offPool { try (0..<30).map { _ in try TestClient.whoAnswers(port: port) } }
    #expect(answers == (0..<30).map { ["a", "b", "c"][$0 % 3] })
    #expect(try relay.counters().first?.endpoints.map(\.total) == [10, 10, 10])
  }

  @Test("counts what is open for least-connections")
  func leastConnections() async throws {
    let backends = try ["a", "b"].map(Backend.holding)
    let relay = try await RelayFixture()
    let port = try relay.program([
      Listener(
        id: "web", port: 0, strategy: .leastConnections, endpoints: [backends[0].endpoint("a"), backends[1].endpoint("b")])
    ])[0]
    let held = try await offPool { try Self.hold(6, port: port) }
    #expect(held.map(\.name) == ["a", "b", "a", "b", "a", "b"])
    for (name, client) in held where name == "b" { client.close() }
    let drained = try await eventually { try relay.counters()[0].endpoints.map(\.open) == [3, 0] }
    #expect(drained)
    let more = try await offPool { try Self.hold(3, port: port) }
    #expect(more.map(\.name) == ["b", "b", "b"])
    for (_, client) in held.filter({ $0.name == "a" }) + more { client.close() }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("tries another endpoint when one refuses, and loses nothing the client said")
  func refused() async throws {
    let echo = try Backend.echo()
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [refusingEndpoint("dead"), echo.endpoint("live")])])[0]
    let answers = try await offPool { try (0..<10).map { try Self.echoed("question \($0)", port: port) } }
    #expect(answers == (0..<10).map { "question \($0)" })
    let counters = try relay.counters()[0]
    #expect(counters.refused == 0)
    #expect(counters.endpoints.first { $0.id == "dead" }?.failures ?? 0 > 0)
    #expect(counters.endpoints.first { $0.id == "dead" }?.total == 0)
  }

  @Test("tries another endpoint when one does not answer in time")
  func silent() async throws {
    let echo = try Backend.echo()
    let silent = try SilentEndpoint()
    let relay = try await RelayFixture { $0.connectTimeout = .milliseconds(60) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [silent.endpoint("silent"), echo.endpoint("live")])])[0]
    let answers = try await offPool { try (0..<4).map { try Self.echoed("question \($0)", port: port) } }
    #expect(answers == (0..<4).map { "question \($0)" })
    #expect(try relay.counters()[0].endpoints.first { $0.id == "silent" }?.failures ?? 0 > 0)
  }

  @Test("leaves an endpoint it waits for as soon as that is out of the table")
  func leftWhileConnecting() async throws {
    let echo = try Backend.echo()
    let silent = try SilentEndpoint()
    let relay = try await RelayFixture { $0.connectTimeout = .seconds(60) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [silent.endpoint("silent")])])[0]
    let client = try TestClient(port: port)
    try client.send("early")
    #expect(try await eventually { try relay.counters()[0].open == 1 })
    try relay.program([Listener(id: "web", port: port, endpoints: [echo.endpoint("live")])])
    #expect(try await offPool { try client.receiveText() } == "early")
    client.close()
  }

  @Test("sees the client's own address, so that one client keeps its endpoint")
  func clientAddress() async throws {
    let listener = cl_listen(0, 8)
    defer { close(listener) }
    let client = try TestClient(port: UInt16(cl_local_port(listener)))
    var address: (high: UInt64, low: UInt64) = (1, 1)
    let accepted = cl_accept(listener, &address.high, &address.low)
    #expect(ClientAddress(high: address.high, low: address.low) == ClientAddress(.loopback))
    close(accepted)
    client.close()
    let backends = try ["a", "b", "c"].map(Backend.named)
    let relay = try await RelayFixture()
    let endpoints = zip(backends, ["a", "b", "c"]).map { $0.endpoint($1) }
    let port = try relay.program([Listener(id: "web", port: 0, strategy: .ipHash, endpoints: endpoints)])[0]
    let answers = try await offPool { try (0..<10).map { _ in try TestClient.whoAnswers(port: port) } }
    #expect(Set(answers).count == 1)
  }

  @Test("passes on what an endpoint says to an upload that it refuses")
  func refusedUpload() async throws {
    let backend = try Backend { client in
      _ = try client.receive(1)
      try client.send("too large")
      // Closing with bytes unread resets.
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try await offPool {
      let client = try TestClient(port: port)
      try? client.send([UInt8](repeating: 1, count: 100_000))
      #expect(try client.receiveText() == "too large")
      client.close()
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("resets a client when there is no endpoint to try", arguments: [[], ["dead"]])
  func nobody(ids: [String]) async throws {
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: ids.map(refusingEndpoint))])[0]
    let client = try TestClient(port: port)
    defer { client.close() }
    let error = await #expect(throws: DataPlaneError.self) { try await offPool { try client.receive() } }
    #expect(error?.errno == ECONNRESET)
    #expect(try relay.counters()[0].refused == 1)
  }

  @Test("passes a half-close on, from client to endpoint")
  func halfCloseByClient() async throws {
    let backend = try Backend { client in
      let all = try client.receiveToEnd()
      try client.send("got \(all.count)")
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let answer = try await offPool {
      let client = try TestClient(port: port)
      try client.send([UInt8](repeating: 7, count: 300_000))
      client.finish()
      defer { client.close() }
      return String(decoding: try client.receiveToEnd(), as: UTF8.self)
    }
    #expect(answer == "got 300000")
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("passes a half-close on, from endpoint to client")
  func halfCloseByEndpoint() async throws {
    let backend = try Backend { client in
      try client.send("all I say")
      client.finish()
      let heard = try client.receiveToEnd()
      #expect(heard.count == 200_000)
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try await offPool {
      let client = try TestClient(port: port)
      #expect(try client.receiveToEnd() == Array("all I say".utf8))
      try client.send([UInt8](repeating: 1, count: 200_000))
      client.close()
    }
    #expect(try await eventually { try relay.counters()[0].bytesIn == 200_000 && relay.counters()[0].open == 0 })
  }

  @Test("passes a client's reset on as a reset")
  func resetByClient() async throws {
    let seen = Outcome()
    let backend = try Backend { client in
      try client.send("hello")
      seen.set(Self.error { _ = try client.receive() })
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try await offPool {
      let client = try TestClient(port: port)
      #expect(try client.receiveText() == "hello")
      client.reset()
    }
    #expect(try await eventually { seen.value != nil })
    #expect(seen.value == ECONNRESET)
  }

  @Test("passes an endpoint's reset on as a reset, after what it said before")
  func resetByEndpoint() async throws {
    let backend = try Backend { client in
      _ = try client.receive()
      try client.send("last words")
      _ = try client.receive()
      client.reset()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try await offPool {
      let client = try TestClient(port: port)
      defer { client.close() }
      try client.send("x")
      #expect(try client.receiveText() == "last words")
      try client.send("y")
      #expect(Self.error { _ = try client.receive() } == ECONNRESET)
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("carries megabytes both ways at once, unchanged")
  func transfer() async throws {
    let echo = try Backend.echo()
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [echo.endpoint("a")])])[0]
    var generator = SplitMix64(seed: 3)
    let sent = (0..<1_000_000).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
    let client = try TestClient(port: port)
    async let sending: Void = offPool {
      try client.send(sent)
      client.finish()
    }
    let received = try await offPool { try client.receiveToEnd() }
    try await sending
    client.close()
    #expect(received == sent)
    #expect(try relay.counters()[0].bytesOut == UInt64(sent.count))
  }

  @Test("stops reading from a fast endpoint whose client is slow")
  func backPressure() async throws {
    let sent = Outcome()
    let backend = try Backend { client in
      var size: Int32 = 16_384
      setsockopt(client.descriptor, SOL_SOCKET, SO_SNDBUF, &size, 4)
      let chunk = [UInt8](repeating: 9, count: 65_536)
      var total: Int32 = 0
      while total < 512, (try? client.send(chunk)) != nil {
        total += 1
        sent.set(total)
      }
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let client = try TestClient(port: port, receiveBuffer: 16_384)
    // What the relay took from the endpoint stops growing while the client reads nothing.
    var before: UInt64 = 0
    let settled = try await eventually {
      try await Task.sleep(for: .milliseconds(100))
      let now = try relay.counters()[0].bytesOut
      defer { before = now }
      return now > 0 && now == before
    }
    #expect(settled)
    // Kernel buffers and one block of the relay: far less than the 32 MiB that wait.
    #expect(before < 12 << 20, "\(before) bytes were taken from the endpoint")
    let rest = try await offPool { try client.receiveToEnd() }
    #expect(rest.count == 512 * 65_536)
    client.close()
  }

  @Test("stops accepting at its limit, and goes on when a connection ends")
  func limit() async throws {
    let backend = try Backend.holding("a")
    let relay = try await RelayFixture { $0.connectionLimit = 3 }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let held = try await offPool { try Self.hold(3, port: port) }
    let waiting = try TestClient(port: port)
    #expect(try await eventually { try relay.counters()[0].open == 3 })
    #expect(backend.connections == 3)
    held[0].client.close()
    #expect(try await offPool { try waiting.receiveText() } == "a")
    for client in held.dropFirst().map(\.client) + [waiting] { client.close() }
  }

  @Test("serves many clients at once, each its own bytes")
  func many() async throws {
    let backends = try [Backend.echo(), Backend.echo()]
    let relay = try await RelayFixture()
    let port = try relay.program([
      Listener(id: "web", port: 0, strategy: .random, endpoints: [backends[0].endpoint("a"), backends[1].endpoint("b")])
    ])[0]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<8 {
        group.addTask {
          let answers = try await offPool { try (0..<100).map { try Self.echoed("\(worker).\($0)", port: port) } }
          #expect(answers == (0..<100).map { "\(worker).\($0)" })
        }
      }
      try await group.waitForAll()
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
    #expect(try relay.counters()[0].total == 800)
  }

  static func hold(_ count: Int, port: UInt16) throws -> [(name: String, client: TestClient)] {
    try (0..<count).map { _ in
      let client = try TestClient(port: port)
      return (try client.receiveText(), client)
    }
  }

  static func echoed(_ text: String, port: UInt16) throws -> String {
    let client = try TestClient(port: port)
    defer { client.close() }
    try client.send(text)
    return try client.receiveText()
  }

  static func error(_ body: () throws -> Void) -> Int32 {
    do { try body() } catch let error as DataPlaneError { return error.errno ?? -1 } catch { return -1 }
    return 0
  }
}

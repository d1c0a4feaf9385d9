// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay", .serialized, .timeLimit(.minutes(1)))
struct ForwardingTests {
  @Test("sees the client's own address")
  func clientAddress() async throws {
    let listener = cl_listen(0, 8)
    defer { close(listener) }
    let client = try TestClient(port: UInt16(cl_local_port(listener)))
    var address: (high: UInt64, low: UInt64) = (1, 1)
    let accepted = cl_accept(listener, &address.high, &address.low)
    #expect(ClientAddress(high: address.high, low: address.low) == ClientAddress(.loopback))
    close(accepted)
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

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("Large flows", .serialized, .timeLimit(.minutes(1)))
struct StreamTests {
  @Test("end after their last byte, whatever their size", arguments: [65_535, 65_536, 65_537, 131_072, 200_000, 1_000_001])
  func sizes(count: Int) async throws {
    let bytes = Self.random(count)
    let backend = try Backend { client in
      try client.send(bytes)
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    for _ in 0..<5 {
      let received = try await offPool {
        let client = try TestClient(port: port)
        defer { client.close() }
        return try client.receiveToEnd()
      }
      #expect(received == bytes)
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
    #expect(try relay.counters()[0].bytesOut == UInt64(5 * count))
  }

  @Test("reach a slow reader unchanged, in both directions")
  func slowReader() async throws {
    let bytes = Self.random(6_000_000)
    let backend = try Backend { client in
      try Self.readSlowly(client, expecting: bytes)
      try client.send(bytes)
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try await offPool {
      let client = try TestClient(port: port, receiveBuffer: 8_192)
      defer { client.close() }
      try client.send(bytes)
      try Self.readSlowly(client, expecting: bytes)
      #expect(try client.receive().isEmpty)
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("leave nothing behind for others when a client goes in the middle of one")
  func cutFlows() async throws {
    let bytes = Self.random(3_000_000)
    let backend = try Backend { client in
      defer { client.close() }
      try client.send(bytes)
    }
    let relay = try await RelayFixture { $0.threads = 1 }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    for round in 0..<20 {
      let received = try await offPool {
        let others = try (0..<4).map { _ in try TestClient(port: port, receiveBuffer: 8_192) }
        let client = try TestClient(port: port)
        defer { client.close() }
        for other in others { _ = try other.receive(1 + round * 10_000) }
        for (number, other) in others.enumerated() { if number.isMultiple(of: 2) { other.reset() } else { other.close() } }
        return try client.receiveToEnd()
      }
      #expect(received == bytes)
    }
    #expect(try await eventually { try relay.counters()[0].open == 0 })
  }

  @Test("are cut off by a reset when their sender resets")
  func resetBySender() async throws {
    let backend = try Backend { client in
      try client.send([UInt8](repeating: 5, count: 2_000_000))
      _ = try client.receive(1)
      client.reset()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let error = try await offPool {
      let client = try TestClient(port: port)
      defer { client.close() }
      var count = 0
      while count < 2_000_000 { count += try client.receive().count }
      try client.send("x")
      return ForwardingTests.error { _ = try client.receive() }
    }
    #expect(error == ECONNRESET)
  }

  @Test("get an answer through to a client whose upload is refused")
  func refusedUpload() async throws {
    let backend = try Backend { client in
      _ = try client.receive(500_000)
      try client.send("too large")
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    for _ in 0..<10 {
      let answer = try await offPool {
        let client = try TestClient(port: port)
        defer { client.close() }
        try? client.send([UInt8](repeating: 1, count: 4_000_000))
        return try client.receiveText()
      }
      #expect(answer == "too large")
    }
  }

  @Test("go on after an urgent byte, which is nobody's")
  func urgentByte() async throws {
    let bytes = Self.random(400_000)
    let backend = try Backend { client in
      try client.send(bytes)
      var urgent: UInt8 = 33
      guard send(client.descriptor, &urgent, 1, Int32(MSG_OOB)) == 1 else { return }
      try client.send(bytes)
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    for _ in 0..<10 {
      let received = try await offPool {
        let client = try TestClient(port: port)
        defer { client.close() }
        return try client.receiveToEnd()
      }
      #expect(received == bytes + bytes)
    }
  }

  @Test("do not hold small messages back: the second leaves before the first is acknowledged")
  func promptness() async throws {
    let heard = Outcome()
    let backend = try Backend { client in
      // Without it this host acknowledges at once, and nothing would ever be held back.
      var quick: Int32 = 0
      setsockopt(client.descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &quick, 4)
      while case let bytes = try client.receive(), !bytes.isEmpty {
        setsockopt(client.descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &quick, 4)
        heard.set((heard.value ?? 0) + Int32(bytes.count))
      }
      client.close()
    }
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let taken = try await offPool {
      let client = try TestClient(port: port)
      defer { client.close() }
      var on: Int32 = 1
      setsockopt(client.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
      return try ContinuousClock().measure {
        for number in 1...50 {
          try client.send("x")
          while heard.value ?? 0 < number { usleep(100) }
        }
      }
    }
    // 50 times the 40 ms of a delayed acknowledgement otherwise.
    #expect(taken < .milliseconds(700), "\(taken)")
  }

  private static func random(_ count: Int) -> [UInt8] {
    var generator = SplitMix64(seed: UInt64(count))
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  /// In pieces of odd sizes, with pauses in which the buffers on the way fill up.
  private static func readSlowly(_ client: TestClient, expecting bytes: [UInt8]) throws {
    var received: [UInt8] = []
    while received.count < bytes.count {
      if received.count % 64 == 0 { usleep(500) }
      let part = try client.receive(min(77_777, bytes.count - received.count))
      guard !part.isEmpty else { break }
      received += part
    }
    #expect(received == bytes)
  }
}

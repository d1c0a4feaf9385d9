// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay that is told to end", .serialized, .timeLimit(.minutes(1)))
struct RelayEndTests {
  @Test(
    "serves every client it has accepted, also one it accepts at that moment; the others wait at the socket", arguments: 1...200)
  func atAnyMoment(round: Int) async throws {
    let backend = try Backend.named("the relay's")
    let relay = try await RelayFixture()
    var kept: Int32 = -1
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])]) { kept = $0 }[0]
    let socket = kept
    defer { close(socket) }
    let isServed = SharedEnd()
    async let outcomes = offPool { Self.answers(from: port, until: "the successor's", isServed) }
    #expect(try await eventually { isServed.hasEnded })
    try await Task.sleep(for: .microseconds(311 * round % 2_000))
    try relay.send(.shutdown)
    #expect(try await eventually { relay.end.hasEnded })
    let noneIsLeft = SharedEnd()
    async let successor: Void = offPool { Self.serve(socket, "the successor's", until: noneIsLeft) }
    let all = try await outcomes
    noneIsLeft.end()
    try await successor
    #expect(all == ["the relay's", "the successor's"])
  }

  /// What clients one after the other get.
  private static func answers(from port: UInt16, until last: String, _ isServed: SharedEnd) -> Set<String> {
    var all: Set<String> = []
    for _ in 0..<100_000 where !all.contains(last) {
      do { all.insert(try TestClient.whoAnswers(port: port)) } catch { all.insert("\(error)") }
      isServed.end()
    }
    return all
  }

  private static func serve(_ socket: Int32, _ text: String, until noneIsLeft: SharedEnd) {
    while !noneIsLeft.hasEnded {
      var address: (high: UInt64, low: UInt64) = (0, 0)
      let descriptor = cl_accept(socket, &address.high, &address.low)
      guard descriptor >= 0 else {
        usleep(100)
        continue
      }
      let client = TestClient(descriptor: descriptor)
      try? client.send(text)
      client.close()
    }
  }
}

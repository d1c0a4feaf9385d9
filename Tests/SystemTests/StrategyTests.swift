// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("All four strategies do over the wire what they are called; others are refused with the list")
  func strategies() async throws {
    try await Fixture.with { n1 in
      try await n1.create("turns", port: 8081)
      try await n1.create("sticky", port: 8082, "--label", "skep.lb.strategy=ip-hash")
      try await n1.create("dice", port: 8083, "--label", "skep.lb.strategy=random")
      try await n1.create("least", port: 8084, "--label", "skep.lb.strategy=least-connections")

      let turns = try await n1.sequence(9, port: 8081)
      #expect(Set(turns.prefix(3)).count == 3 && turns == Array((1...3).map { _ in turns.prefix(3) }.joined()))
      #expect(Set(try await n1.sequence(20, port: 8082)).count == 1, "one client address, one container")
      let dice = try await n1.client.requests(n1.url(port: 8083), count: 300, parallel: 1)
      #expect(dice.answers.count == 3 && dice.answers.values.allSatisfy { (50...150).contains($0) }, "\(dice.answers)")
      try await n1.expectLeastConnections(port: 8084)

      let refusal = try await n1.refusal(
        "service", "create", "--detach", "--label", "skep.lb.strategy=fastest", "--publish", "8085:80", "skep-web")
      #expect(refusal.contains("fastest"))
      #expect(refusal.contains("round-robin, least-connections, ip-hash, random"))
      let update = try await n1.refusal("service", "update", "--detach", "--label-add", "skep.lb.strategy=x", "turns")
      #expect(update.contains("round-robin, least-connections, ip-hash, random"))
    }
  }
}

extension Fixture {
  /// Who answered to requests one after the other, in order.
  fileprivate func sequence(_ count: Int, port: Int) async throws -> [String] {
    var answers: [String] = []
    for _ in 1...count { answers.append(try #require(try await get(port: port))) }
    return answers
  }

  /// A request that is over is, for a moment, still a connection of the relay's, and counts.
  private func relayHolds(_ count: Int, port: Int) async throws {
    try await wait("the relay has \(count) connections") {
      let open = try await host.exec(
        ["ss", "--tcp", "--numeric", "--no-header", "state", "established", "state", "close-wait", "sport = :\(port)"])
      return open.lines.count == count
    }
  }

  /// Two held connections take two of three containers: all that comes then goes to the third.
  fileprivate func expectLeastConnections(port: Int) async throws {
    // Longer than ten requests take where much else is going on.
    async let slow = client.requests(url("/slow?ms=8000", port: port), count: 2, parallel: 2)
    try await held(2, port: port)
    var free: [String] = []
    for _ in 1...10 {
      free += try await sequence(1, port: port)
      try await relayHolds(2, port: port)
    }
    #expect(Set(free).count == 1)
    let busy = try await slow
    #expect(busy.answers.count == 2 && busy.answers[free[0]] == nil)
  }
}

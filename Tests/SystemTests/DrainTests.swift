// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test(
    "An open connection has the drain's time and no more, whatever becomes of the relay it came by", arguments: [false, true])
  func drainTime(relayIsReplaced: Bool) async throws {
    try await Fixture.with { n1 in
      // The packet filter's connections know nothing of relays.
      let offload = "skep.lb.offload=\(relayIsReplaced ? "off" : "on")"
      try await n1.create(
        "web", replicas: 1, "--label", "skep.drain.timeout=4s", "--label", offload, "--stop-grace-period", "1s")
      let short = try await n1.scaledAway(holding: 3, "/drip?ms=2000", replacingRelay: relayIsReplaced)
      #expect(short.report.failures == [:])
      #expect(short.stopped < .seconds(4), "the task stops when they have ended")

      try await n1.docker("service", "scale", "--detach", "web=1")
      try await n1.settled("web", 1)
      let long = try await n1.scaledAway(holding: 1, "/drip?ms=20000", replacingRelay: relayIsReplaced)
      #expect(long.report.failures.keys.allSatisfy { $0.hasSuffix("within an answer") } && long.report.failed == 1)
      // The drain, then the program's own time to stop.
      #expect((.seconds(5)..<(.seconds(9))).contains(long.ended), "\(long)")
    }
  }

  @Test("A node that is drained ends its connections in peace before its tasks stop, and takes tasks again")
  func nodeDrained() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", "--label", "skep.drain.timeout=10s")
      async let long = n1.client.requests(n1.url("/drip?ms=2000"), count: 6, parallel: 6)
      // One connection each: of 100 requests at most, so that a client may be somewhat ahead of the others.
      async let kept = n1.client.requests(n1.url("/slow?ms=20"), count: 640, parallel: 8, keepAlive: true)
      try await n1.held(14)
      let began = ContinuousClock.now
      try await n1.docker("node", "update", "--availability", "drain", "n1")
      let reports = try await [long, kept]
      for report in reports { #expect(report.failures == [:]) }
      #expect(reports[1].connections == 8)
      try await n1.wait("the tasks have stopped") { try await n1.running("web").isEmpty }
      #expect(ContinuousClock.now - began < .seconds(9), "the drain's time was not needed")
      try await n1.docker("node", "update", "--availability", "active", "n1")
      try await n1.settled("web", 3)
      try await n1.answering(3)
    }
  }
}

extension Fixture {
  /// Waits until so many connections of the client outside to a published port are established.
  func held(_ count: Int, port: Int = 8080) async throws {
    try await wait("\(count) connections are held") {
      let open = try await client.exec(["ss", "--tcp", "--numeric", "--no-header", "state", "established", "dport = :\(port)"])
      return open.lines.count == count
    }
  }

  /// Scales web to nothing while requests are open: what became of them, and how long after the command they and the tasks ended.
  fileprivate func scaledAway(
    holding count: Int, _ path: String, replacingRelay: Bool
  ) async throws -> (report: RequestReport, ended: Duration, stopped: Duration) {
    async let requests = client.requests(url(path), count: count, parallel: count)
    try await held(count)
    if replacingRelay { try await upgradeRelay() }
    let began = ContinuousClock.now
    try await docker("service", "scale", "--detach", "web=0")
    let report = try await requests
    let ended = ContinuousClock.now - began
    try await wait("web has stopped") { try await running("web").isEmpty }
    return (report, ended, ContinuousClock.now - began)
  }
}

// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  /// 10,000 requests each, once with a connection per request and once on connections that are kept.
  @Suite("10,000 requests go on", .serialized)
  struct Load {
    static let parallel = 8

    @Test("across a container's kill -9, without those in flight in it", arguments: [false, true])
    func containerKilled(keepAlive: Bool) async throws {
      try await Fixture.with { n1 in
        try await n1.create("web")
        let victim = try #require(try await n1.running("web").first)
        // Turns are exact: four in each container.
        async let held = n1.client.requests(n1.url("/drip?ms=3000"), count: 12, parallel: 12)
        try await n1.held(12)
        let report = try await n1.under(keepAlive: keepAlive) {
          try await n1.host.crash(container: victim)
          try await n1.wait("a replacement runs") {
            let running = try await n1.running("web")
            return running.count == 3 && !running.contains(victim)
          }
          try await n1.settled("web", 3)
        }
        #expect(report.failed <= Self.parallel, "\(report.failures)")
        #expect(try await held.failed == 4, "those that were in it, and no other")
      }
    }

    @Test("across skepd's kill -9 and its restart, without a failure", arguments: [false, true])
    func skepdKilled(keepAlive: Bool) async throws {
      try await Fixture.with { n1 in
        try await n1.create("web")
        let before = try await n1.running()
        let report = try await n1.under(keepAlive: keepAlive) {
          for _ in 1...3 {
            try await n1.host.kill(.skepd)
            try await n1.host.start(.skepd)
            try await n1.settled("web", 3)
          }
        }
        #expect(report.failures == [:])
        #expect(try await n1.running() == before)
      }
    }
  }
}

extension Fixture {
  /// Does something while requests go on, at least 10,000; the last come after it.
  fileprivate func under(keepAlive: Bool, _ body: () async throws -> Void) async throws -> RequestReport {
    let isOver = Flag()
    async let load = load(keepAlive: keepAlive, until: isOver)
    do { try await body() } catch {
      isOver.raise()
      throw error
    }
    isOver.raise()
    return try await load
  }

  private func load(keepAlive: Bool, until isOver: Flag) async throws -> RequestReport {
    var total = RequestReport()
    while total.succeeded + total.failed < 10_000 || !isOver.isRaised {
      total.add(
        try await client.requests(
          url("/slow?ms=5"), count: 2_500, parallel: SystemTests.Load.parallel, keepAlive: keepAlive))
    }
    return total
  }
}

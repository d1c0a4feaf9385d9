// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  /// One service under new connections, kept ones and long answers, all the time through, while everything about it changes.
  @Suite("No request fails and no answer is cut short", .serialized)
  struct Hammer {
    /// In all; the changes come again until so many were made.
    static let requests =
      ProcessInfo.processInfo.environment["SKEP_HAMMER_REQUESTS"].flatMap { Int($0) } ?? 100_000

    @Test(
      "while a service is updated in both orders, scaled, published elsewhere, balanced otherwise, and its relay replaced",
      arguments: ["on", "off"])
    func changes(offload: String) async throws {
      try await Fixture.with { n1 in
        try await n1.create(
          "web", "--label", "skep.drain.timeout=10s", "--label", "skep.lb.offload=\(offload)", "--update-delay", "0s",
          "--update-monitor", "100ms")
        let hammer = HammerLoad(n1)
        let clock = ContinuousClock()
        try await hammer.during {
          var (round, seconds) = (0, clock.now)
          repeat {
            round += 1
            for (what, change) in Hammer.changes {
              try await change(n1, round)
              let failures = hammer.failures
              print("round \(round), \(what): \(clock.now - seconds), \(hammer.made) requests, failures \(failures)")
              try #require(failures == [:], "\(what) in round \(round)")
              seconds = clock.now
            }
          } while hammer.made < Hammer.requests
        }
        #expect(hammer.failures == [:])
        #expect(hammer.reports.allSatisfy { $0.succeeded > 0 }, "each kind of client was there")
        print("\(hammer.made) requests on \(hammer.reports.map(\.connections).reduce(0, +)) connections")
      }
    }

    private static let changes: [(String, @Sendable (Fixture, Int) async throws -> Void)] = [
      ("update, start-first", { try await $0.update("start-first", version: 2 * $1) }),
      ("update, stop-first", { try await $0.update("stop-first", version: 2 * $1 + 1) }),
      (
        "scale to 1 and to 4",
        { n1, _ in
          for count in [1, 4, 3] {
            try await n1.docker("service", "scale", "--detach", "web=\(count)")
            try await n1.settled("web", count)
          }
        }
      ),
      (
        "another port published and unpublished",
        { n1, _ in
          try await n1.docker("service", "update", "--detach", "--publish-add", "8181:81", "web")
          try await n1.settled("web", 3)
          try await n1.docker("service", "update", "--detach", "--publish-rm", "81", "web")
          try await n1.settled("web", 3)
        }
      ),
      (
        "every strategy",
        { n1, _ in
          for strategy in ["least-connections", "ip-hash", "random", "round-robin"] {
            try await n1.docker("service", "update", "--detach", "--label-add", "skep.lb.strategy=\(strategy)", "web")
            try await n1.load(seconds: 0.5)
          }
        }
      ),
      (
        "the relay replaced, thrice during an update",
        { n1, round in
          async let update: Void = n1.update("start-first", version: 1_000 + round)
          for _ in 1...3 {
            try await n1.upgradeRelay()
            try await n1.load(seconds: 0.7)
          }
          try await update
        }
      ),
      (
        "the relay replaced while a scale-in drains",
        { n1, _ in
          try await n1.docker("service", "scale", "--detach", "web=1")
          try await n1.upgradeRelay()
          try await n1.settled("web", 1)
          try await n1.docker("service", "scale", "--detach", "web=3")
          try await n1.settled("web", 3)
        }
      ),
    ]
  }
}

extension Fixture {
  fileprivate func update(_ order: String, version: Int) async throws {
    let before = try await running("web")
    try await docker("service", "update", "--detach", "--update-order", order, "--env-add", "VERSION=\(version)", "web")
    try await wait("all of web's tasks are new") { try await running("web").isDisjoint(with: before) }
    try await settled("web", 3)
  }

  /// As `systemctl reload skep-relay`: another process takes over, the connections stay with a copy of the old one.
  func upgradeRelay() async throws {
    let connected = "connected to relay"
    let before = log.components(separatedBy: connected).count
    let reload = try await host.exec(["sh", "-c", "kill -HUP $(cat /run/skep/relay.pid)"])
    #expect(reload.succeeded, "\(reload.stderr)")
    try await wait("skepd has met the new relay") { log.components(separatedBy: connected).count > before }
  }

  /// Gives the load some time between two changes.
  fileprivate func load(seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }
}

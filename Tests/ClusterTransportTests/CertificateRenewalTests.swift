// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import EngineTestKit
import Identity
import Synchronization
import Testing

@testable import ClusterTransport

@Suite("Renewal of certificates", .timeLimit(.minutes(1)))
struct CertificateRenewalTests {
  /// A node whose manager issues certificates for an hour, by a clock that the test moves.
  fileprivate final class Node: Sendable {
    let clock = ManualClock()
    let authorities: Mutex<[CertificateAuthority]>
    let credentials: CurrentCredentials
    let wishes = CertificateRenewal.Wishes()
    let shown = Mutex<[NodeCredentials]>([])
    let failures = Mutex<[String]>([])
    let isManagerAway = Mutex(false)
    struct Away: Error {}

    init() throws {
      let authority = try CertificateAuthority.make(now: 1_600_000_000)
      authorities = Mutex([authority])
      let key = NodeKey.make()
      let certificate = try Self.issue(try key.signingRequest(), authority, clock.now().wall)
      credentials = CurrentCredentials(
        try NodeCredentials(key: key, certificatePEM: certificate, root: try TrustRoot(pem: authority.certificatePEM)))
    }

    static func issue(_ request: String, _ authority: CertificateAuthority, _ now: Timestamp) throws -> String {
      try authority.issue(
        to: .init(clusterID: "c1", nodeID: "w1", role: .worker), request: request, now: now, validity: .seconds(3_600))
    }

    func answer(_ request: String) throws -> NodeMessage.CertificateReply {
      if isManagerAway.withLock({ $0 }) { throw Away() }
      let authorities = authorities.withLock { $0 }
      let last = try #require(authorities.last)
      let link = authorities.count > 1 ? try authorities[0].rotation(to: last).crossSigned : nil
      return .init(
        certificate: try Self.issue(request, last, clock.now().wall), trust: authorities.map(\.certificatePEM).joined(),
        crossSigned: link)
    }

    func run() async {
      await CertificateRenewal(
        of: credentials, by: wishes, now: { self.clock.now().wall }, sleep: { try await self.clock.sleep($0) },
        steps: .init(
          ask: { try self.answer($0) }, keep: { _ in }, show: { new in self.shown.withLock { $0.append(new) } },
          failed: { error in self.failures.withLock { $0.append("\(error)") } })
      ).run()
    }

    /// Lets time pass in steps, in each of which all is done that is due.
    func pass(_ time: Duration, in step: Duration = .seconds(60), _ check: () throws -> Void = {}) async throws {
      for _ in 0..<Int(time / step) {
        try await CertificateRenewalTests.until("it sleeps") { clock.sleepers > 0 }
        let before = progress
        clock.advance(by: step)
        // Where something was due it is done now, or a moment later.
        for _ in 0..<20 where progress == before { await Task.yield() }
        try check()
      }
    }

    private var progress: [Int] { [shown.withLock { $0.count }, failures.withLock { $0.count }] }
  }

  fileprivate static func until(_ what: Comment, _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !holds() {
      try #require(ContinuousClock.now < end, what)
      await Task.yield()
    }
  }

  private func with(_ body: (Node) async throws -> Void) async throws {
    let node = try Node()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await node.run() }
      try await body(node)
      group.cancelAll()
    }
  }

  @Test("certificates of an hour follow each other for a day, none asked for late, none sooner than need be")
  func day() async throws {
    try await with { node in
      try await node.pass(.seconds(86_400)) {
        #expect(node.credentials.current.notAfter > node.clock.now().wall + .seconds(10 * 60))
      }
      // After 30 to 48 minutes each.
      let count = node.shown.withLock { $0.count }
      #expect((24 * 60 / 50...24 * 60 / 30).contains(count), "\(count)")
    }
  }

  @Test("a manager that is away is asked again each minute, until it is back")
  func away() async throws {
    try await with { node in
      node.isManagerAway.withLock { $0 = true }
      // Due after 30 to 48 minutes.
      try await node.pass(.seconds(55 * 60))
      let failed = node.failures.withLock { $0.count }
      #expect((5...26).contains(failed), "\(failed)")
      node.isManagerAway.withLock { $0 = false }
      try await node.pass(.seconds(180))
      #expect(node.credentials.current.notAfter > node.clock.now().wall + .seconds(3_000))
    }
  }

  @Test("what the managers want is asked for within a second, once")
  func asked() async throws {
    try await with { node in
      let next = try CertificateAuthority.make(now: 1_700_000_000)
      node.authorities.withLock { $0.append(next) }
      let mark = node.authorities.withLock { $0 }.map { JoinToken.hexadecimal($0.digest) }.joined(separator: "-")
      try await Self.until("it sleeps") { node.clock.sleepers == 1 }
      for _ in 0..<3 { node.wishes.ask(for: mark) }
      // The timer, and the moment that all nodes are spread over.
      try await Self.until("it is about to ask") { node.clock.sleepers == 1 }
      try await Self.until("it has asked") {
        node.clock.advance(by: .milliseconds(100))
        return node.credentials.current.mark == mark
      }
      for _ in 0..<3 { node.wishes.ask(for: mark) }
      try await node.pass(.seconds(20), in: .seconds(1))
      #expect(node.shown.withLock { $0.count } == 1)
    }
  }
}

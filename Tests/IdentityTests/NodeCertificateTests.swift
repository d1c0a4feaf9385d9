// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Identity

@Suite("Node certificates")
struct NodeCertificateTests {
  private static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  private static let who = NodeIdentity(clusterID: "c1", nodeID: "n1", role: .worker)

  private let authority: CertificateAuthority
  private let root: TrustRoot

  init() throws {
    authority = try CertificateAuthority.make(now: 1_700_000_000)
    root = try TrustRoot(pem: authority.certificatePEM)
  }

  private func credentials(validity: Duration = .seconds(3_600), _ authority: CertificateAuthority? = nil) throws
    -> NodeCredentials
  {
    let authority = authority ?? self.authority
    let key = NodeKey.make()
    let certificate = try authority.issue(to: Self.who, request: try key.signingRequest(), now: Self.now, validity: validity)
    return try NodeCredentials(key: key, certificatePEM: certificate, root: try TrustRoot(pem: authority.certificatePEM))
  }

  private func code(_ body: () throws -> Void) -> CertificateError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? CertificateError)?.code }
  }

  @Test("a certificate says who its holder is: the authority's word, not the request's")
  func identity() throws {
    let made = try credentials()
    #expect(try root.identity(of: made.der, now: Self.now) == Self.who)
    #expect(made.identity == Self.who)
    #expect(made.notAfter == Self.now + .seconds(3_600))
    #expect(made.notBefore == Self.now + .seconds(-3_600))
  }

  @Test("another authority's certificate, an expired one, one from the future and noise are told apart")
  func refusals() throws {
    let made = try credentials()
    let foreign = try credentials(try CertificateAuthority.make(now: 1_700_000_000))
    #expect(code { _ = try root.identity(of: foreign.der, now: Self.now) } == .foreign)
    #expect(code { _ = try root.identity(of: made.der, now: Self.now + .seconds(3_601)) } == .expired)
    #expect(code { _ = try root.identity(of: made.der, now: Self.now + .seconds(-3_601)) } == .notYetValid)
    #expect(code { _ = try root.identity(of: [1, 2, 3], now: Self.now) } == .malformed)
    let selfMade = try NodeCredentials.der(of: NodeKey.make().selfMade(now: Self.now))
    #expect(code { _ = try root.identity(of: selfMade, now: Self.now) } == .foreign)
    #expect(TrustRoot.isSelfMade(selfMade))
    #expect(try !TrustRoot.isSelfMade(foreign.der))
  }

  @Test("a request that is signed with another key, or is none, gets no certificate")
  func requests() throws {
    #expect(code { _ = try authority.issue(to: Self.who, request: "no", now: Self.now, validity: .seconds(60)) } == .malformed)
    let (mine, other) = (try NodeKey.make().signingRequest(), try NodeKey.make().signingRequest())
    let (head, tail) = (mine.split(separator: "\n"), other.split(separator: "\n"))
    // The first lines of one and the last of another: a key with somebody else's signature.
    let mixed = (head.dropLast(3) + tail.suffix(3)).joined(separator: "\n")
    #expect(code { _ = try authority.issue(to: Self.who, request: mixed, now: Self.now, validity: .seconds(60)) } == .malformed)
  }

  @Test("credentials are read back from their one text, and refused when key and certificate do not belong together")
  func bundle() throws {
    let made = try credentials()
    let read = try NodeCredentials(bundle: made.bundle)
    #expect(read.bundle == made.bundle)
    #expect(read.identity == Self.who)
    #expect(read.root.digest == authority.digest)
    #expect(throws: CertificateError.self) { try NodeCredentials(key: .make(), certificatePEM: made.certificatePEM, root: root) }
    #expect(throws: CertificateError.self) { try NodeCredentials(bundle: made.key.pem) }
  }

  @Test("the next certificate is asked for between half and four fifths of the validity")
  func renewal() throws {
    var generator = SystemRandomNumberGenerator()
    for hours in [1, 100] {
      let made = try credentials(validity: .seconds(hours * 3_600))
      for _ in 0..<100 {
        let moment = made.renewal(using: &generator)
        #expect(moment >= Self.now + .seconds(hours * 1_800) && moment <= Self.now + .seconds(hours * 2_880))
      }
    }
  }

  @Test("a token is for the cluster whose root it has the digest of")
  func tokens() throws {
    var generator = SystemRandomNumberGenerator()
    let token = JoinToken.make(digest: authority.digest, using: &generator)
    #expect(JoinToken.matches(token, digest: authority.digest))
    #expect(JoinToken.digestText(token) == JoinToken.hexadecimal(authority.digest))
    let other = try CertificateAuthority.make(now: 1_700_000_000)
    #expect(!JoinToken.matches(token, digest: other.digest))
    #expect(!JoinToken.matches("SWMTKN-1-x-y", digest: authority.digest))
    #expect(JoinToken.digestText("") == nil)
  }
}

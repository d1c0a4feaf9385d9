// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Identity

@Suite("From one root to the next")
struct RotationTests {
  private static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  private static let who = NodeIdentity(clusterID: "c1", nodeID: "n1", role: .worker)
  private let old: CertificateAuthority
  private let new: CertificateAuthority
  private let rotation: RootRotation

  init() throws {
    old = try CertificateAuthority.make(now: 1_600_000_000)
    new = try CertificateAuthority.make(now: 1_700_000_000)
    rotation = try old.rotation(to: new)
  }

  private func certificate(of key: NodeKey, by authority: CertificateAuthority, node: String = "n1") throws -> String {
    try authority.issue(
      to: .init(clusterID: "c1", nodeID: node, role: .worker), request: try key.signingRequest(), now: Self.now,
      validity: .seconds(3_600))
  }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test("a node believes the next root because the present one certifies it, and nothing that a stranger certifies")
  func succession() throws {
    let root = try TrustRoot(pem: old.certificatePEM)
    let both = old.certificatePEM + new.certificatePEM
    #expect(try root.succeeded(by: both, crossSigned: rotation.crossSigned).pem == both)
    // What is believed already needs nobody's word: the end of a rotation, and one that is given up.
    #expect(try TrustRoot(pem: both).succeeded(by: new.certificatePEM, crossSigned: nil).pem == new.certificatePEM)
    #expect(try TrustRoot(pem: both).succeeded(by: old.certificatePEM, crossSigned: nil).pem == old.certificatePEM)
    let stranger = try CertificateAuthority.make(now: 1_700_000_000)
    for link in [nil, try stranger.rotation(to: new).crossSigned, try old.rotation(to: stranger).crossSigned, "noise"] {
      #expect(throws: CertificateError.self) { try root.succeeded(by: both, crossSigned: link) }
    }
  }

  @Test("while a root is replaced both sign for nodes, and a node's mark says what it has")
  func marks() throws {
    let root = try TrustRoot(pem: old.certificatePEM)
    let both = old.certificatePEM + new.certificatePEM
    var cluster = Cluster(
      id: "c1", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "", manager: ""), trustRoot: old.certificatePEM,
      defaultAddrPool: [], subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0), prefix: 16))
    var generator = SystemRandomNumberGenerator()
    cluster.joinTokens.worker = JoinToken.make(digest: old.digest, using: &generator)
    let key = NodeKey.make()
    let before = try NodeCredentials(key: key, certificatePEM: try certificate(of: key, by: old), root: root)
    #expect(before.mark == cluster.authorityMark)
    cluster.rotation = rotation
    #expect(before.mark != cluster.authorityMark)
    #expect(cluster.trustBundle == both && cluster.issuer == new.certificatePEM)

    let half = try before.next(
      key, certificatePEM: try certificate(of: key, by: old), trust: both, crossSigned: rotation.crossSigned)
    #expect(half.mark != cluster.authorityMark, "it believes both, and its certificate is still the old root's")
    let during = try half.next(
      key, certificatePEM: try certificate(of: key, by: new), trust: both, crossSigned: rotation.crossSigned)
    #expect(during.mark == cluster.authorityMark)
    #expect(try during.tls == NodeTLS(trustRoot: both, issuer: new.certificatePEM))
    let read = try NodeCredentials(bundle: during.bundle)
    #expect(read.mark == during.mark && read.root.pem == both)

    cluster.trustRoot = rotation.certificate
    cluster.rotation = nil
    cluster.joinTokens.worker = JoinToken.make(digest: rotation.digest, using: &generator)
    #expect(during.mark != cluster.authorityMark)
    let after = try during.next(
      key, certificatePEM: try certificate(of: key, by: new), trust: new.certificatePEM, crossSigned: nil)
    #expect(after.mark == cluster.authorityMark)
    #expect(throws: CertificateError.self) { try after.root.identity(of: before.der, now: Self.now) }
    let other = try certificate(of: key, by: new, node: "n2")
    #expect(throws: CertificateError.self) { try after.next(key, certificatePEM: other, trust: nil, crossSigned: nil) }
  }

  @Test("a root that a user brings is checked in swarm's words")
  func given() throws {
    func refusal(_ certificate: String, _ key: String, at time: Timestamp = Self.now) -> String? {
      message { _ = try CertificateAuthority.given(certificatePEM: certificate, keyPEM: key, now: time) }
    }
    #expect(refusal(new.certificatePEM, new.keyPEM) == nil)
    #expect(refusal("noise", new.keyPEM) == "no valid root CA certificates found")
    #expect(
      refusal(old.certificatePEM + new.certificatePEM, new.keyPEM)
        == "the desired CA certificate cannot contain multiple certificates")
    #expect(refusal(new.certificatePEM, old.keyPEM) == "certificate key mismatch")
    #expect(
      refusal(new.certificatePEM, new.keyPEM, at: Self.now + .seconds(20 * 365 * 86_400)) == "CA certificate expires too soon")
    #expect(refusal(new.certificatePEM, "noise")?.contains("P-256") == true)
    #expect(refusal(rotation.crossSigned, new.keyPEM)?.contains("certificate signed by unknown authority") == true)
    #expect(message { _ = try old.rotation(to: old) } == "Cannot update to a cert with an identical key")
  }
}

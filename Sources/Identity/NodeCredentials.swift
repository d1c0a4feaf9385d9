// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation
import X509

/// A node's own key, before there is a certificate for it.
package struct NodeKey: Sendable {
  /// Secret: never leaves the host.
  package let pem: String

  package static func make() -> NodeKey { NodeKey(pem: P256.Signing.PrivateKey().pemRepresentation) }

  /// PEM of a request for a certificate.
  package func signingRequest() throws -> String {
    let key = Certificate.PrivateKey(try P256.Signing.PrivateKey(pemRepresentation: pem))
    let request = try CertificateSigningRequest(
      version: .v1, subject: try DistinguishedName { CommonName("skep") }, privateKey: key,
      attributes: CertificateSigningRequest.Attributes(), signatureAlgorithm: .ecdsaWithSHA256)
    return try request.serializeAsPEM().pemString + "\n"
  }

  /// PEM of a certificate that nobody but this host vouches for: TLS asks for one, and a host that joins has none yet.
  package func selfMade(now: Timestamp) throws -> String {
    let key = Certificate.PrivateKey(try P256.Signing.PrivateKey(pemRepresentation: pem))
    let name = try DistinguishedName { CommonName("joining") }
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: now.date - 3_600,
      notValidAfter: now.date + 3_600, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions { Critical(BasicConstraints.notCertificateAuthority) }, issuerPrivateKey: key)
    return try certificate.serializeAsPEM().pemString + "\n"
  }
}

/// What a node shows others, and knows them by: its key, its certificate and the cluster's root.
package struct NodeCredentials: Sendable {
  package let key: NodeKey
  package let certificatePEM: String
  package let root: TrustRoot
  package let identity: NodeIdentity
  package let notBefore: Timestamp
  package let notAfter: Timestamp
  /// Names what the node believes and has, in the words of `Cluster.authorityMark`.
  package private(set) var mark = ""

  /// Throws what makes them unusable at any time: a certificate of another root or another key. Whether it has expired is not looked at.
  package init(key: NodeKey, certificatePEM: String, root: TrustRoot) throws {
    let certificate = try Certificate(pemEncoded: certificatePEM)
    let own = try P256.Signing.PrivateKey(pemRepresentation: key.pem)
    guard certificate.publicKey == Certificate.PublicKey(own.publicKey) else {
      throw CertificateError(.malformed, "the certificate is not of the node's own key")
    }
    self.key = key
    self.certificatePEM = certificatePEM
    self.root = root
    notBefore = Timestamp(certificate.notValidBefore)
    notAfter = Timestamp(certificate.notValidAfter)
    identity = try root.identity(of: try certificate.der, now: notAfter)
    mark = currentMark
  }

  /// One text, so that key and certificate are replaced together or not at all: key, certificate, root or roots.
  package var bundle: String { [key.pem, certificatePEM, root.pem].map(Self.line).joined() }

  package init(bundle: String) throws {
    let blocks = bundle.split(separator: "-----BEGIN ").map { "-----BEGIN \($0)" }
    guard blocks.count >= 3 else {
      throw CertificateError(.malformed, "a node's key, certificate and root are expected, and there are \(blocks.count) parts")
    }
    try self.init(key: NodeKey(pem: blocks[0]), certificatePEM: blocks[1], root: try TrustRoot(pem: blocks[2...].joined()))
  }

  /// The first of a node that believes `root`, with what a manager answered: the certificate, and whom to believe from now on.
  package static func first(
    _ key: NodeKey, certificatePEM: String, root: TrustRoot, trust: String?, crossSigned: String?
  ) throws -> NodeCredentials {
    let root = try trust.map { try root.succeeded(by: $0, crossSigned: crossSigned) } ?? root
    return try NodeCredentials(key: key, certificatePEM: certificatePEM, root: root)
  }

  /// The next ones of the same node.
  package func next(
    _ key: NodeKey, certificatePEM: String, trust: String?, crossSigned: String?
  ) throws -> NodeCredentials {
    let next = try Self.first(key, certificatePEM: certificatePEM, root: root, trust: trust, crossSigned: crossSigned)
    guard next.identity.nodeID == identity.nodeID, next.identity.clusterID == identity.clusterID else {
      throw CertificateError(.malformed, "the certificate is of another node")
    }
    return next
  }

  /// When to ask for the next certificate: at random between half and four fifths of its time. Swarm counts the hour before it was made,
  /// too, by which a certificate of an hour would be asked for again at once.
  package func renewal(using generator: inout some RandomNumberGenerator) -> Timestamp {
    let made = notBefore + .seconds(Int64(CertificateAuthority.backdating))
    return made + (notAfter - made) * Double.random(in: 0.5...0.8, using: &generator)
  }

  private static func line(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}

extension NodeCredentials {
  /// The certificate as TLS carries it.
  var der: [UInt8] { get throws { try Self.der(of: certificatePEM) } }

  package static func der(of pem: String) throws -> [UInt8] { try Certificate(pemEncoded: pem).der }
}

extension Certificate {
  var der: [UInt8] { get throws { try serializeAsPEM().derBytes } }
}

extension Timestamp {
  init(_ date: Date) { self.init(nanoseconds: Int64(date.timeIntervalSince1970) * 1_000_000_000) }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation
import X509

/// The cluster's root certificate, as those who have no key to it use it: to tell who somebody is. While it is being replaced there are
/// two of them, the one that is to be last.
package struct TrustRoot: Sendable {
  package let pem: String
  let certificates: [Certificate]

  /// `pem` has one certificate or more.
  package init(pem: String) throws(CertificateError) {
    do { certificates = try Self.blocks(of: pem).map { try Certificate(pemEncoded: $0) } } catch {
      throw CertificateError(.malformed, "the root certificate cannot be read: \(error)")
    }
    guard !certificates.isEmpty else { throw CertificateError(.malformed, "there is no root certificate") }
    self.pem = pem
  }

  /// The PEM text of each certificate.
  static func blocks(of pem: String) -> [String] {
    let begin = "-----BEGIN CERTIFICATE-----"
    return pem.components(separatedBy: begin).dropFirst().map { begin + $0 }
  }

  /// SHA-256 over the PEM text: what join tokens carry.
  package var digest: [UInt8] { Self.digest(of: pem) }

  package static func digest(of pem: String) -> [UInt8] { Array(SHA256.hash(data: Array(pem.utf8))) }

  /// Whose the certificate is, if this root signed it and it is valid now. There is nothing between root and nodes.
  package func identity(of leaf: [UInt8], now: Timestamp) throws(CertificateError) -> NodeIdentity {
    let leaf = try Self.parse(leaf)
    guard issuer(of: leaf) != nil else {
      throw CertificateError(.foreign, "the certificate is not of this cluster's authority")
    }
    guard leaf.notValidBefore <= now.date else {
      throw CertificateError(.notYetValid, "the certificate is valid from \(leaf.notValidBefore) on, and it is \(now) here")
    }
    guard now.date <= leaf.notValidAfter else {
      throw CertificateError(.expired, "the certificate was valid until \(leaf.notValidAfter)")
    }
    guard let identity = NodeIdentity(leaf.subject) else {
      throw CertificateError(.malformed, "the certificate is no node's: \(leaf.subject)")
    }
    return identity
  }

  /// Whether the certificate is one that somebody without an identity made for the connection alone.
  package static func isSelfMade(_ leaf: [UInt8]) -> Bool {
    guard let leaf = try? parse(leaf), leaf.issuer == leaf.subject else { return false }
    return leaf.publicKey.isValidSignature(leaf.signature, for: leaf)
  }

  func issuer(of leaf: Certificate) -> Certificate? {
    certificates.first { leaf.issuer == $0.subject && $0.publicKey.isValidSignature(leaf.signature, for: leaf) }
  }

  private static func parse(_ leaf: [UInt8]) throws(CertificateError) -> Certificate {
    do { return try Certificate(derEncoded: leaf) } catch {
      throw CertificateError(.malformed, "a certificate cannot be read: \(error)")
    }
  }
}

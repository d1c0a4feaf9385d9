// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation
import X509

/// The cluster's root certificate, as those who have no key to it use it: to tell who somebody is.
package struct TrustRoot: Sendable {
  package let pem: String
  private let certificate: Certificate

  package init(pem: String) throws(CertificateError) {
    do { certificate = try Certificate(pemEncoded: pem) } catch {
      throw CertificateError(.malformed, "the root certificate cannot be read: \(error)")
    }
    self.pem = pem
  }

  /// SHA-256 over the PEM text: what join tokens carry.
  package var digest: [UInt8] { Self.digest(of: pem) }

  package static func digest(of pem: String) -> [UInt8] { Array(SHA256.hash(data: Array(pem.utf8))) }

  /// Whose the certificate is, if this root signed it and it is valid now. There is nothing between root and nodes.
  package func identity(of leaf: [UInt8], now: Timestamp) throws(CertificateError) -> NodeIdentity {
    let leaf = try Self.parse(leaf)
    guard leaf.issuer == certificate.subject, certificate.publicKey.isValidSignature(leaf.signature, for: leaf) else {
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

  private static func parse(_ leaf: [UInt8]) throws(CertificateError) -> Certificate {
    do { return try Certificate(derEncoded: leaf) } catch {
      throw CertificateError(.malformed, "a certificate cannot be read: \(error)")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation
import SwiftASN1
import X509

/// Why no certificate was given, or one was not believed.
package struct CertificateError: Error, Hashable, CustomStringConvertible {
  package enum Code: Sendable {
    /// Not what it should be at all: damaged, or of another kind.
    case malformed
    /// Another authority's, or nobody's.
    case foreign
    case expired
    /// By the clock of whoever looks, which may be wrong.
    case notYetValid
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension CertificateAuthority {
  /// Swarm's default, 90 days.
  package static let nodeValidity = Duration.seconds(90 * 86_400)
  /// Certificates begin so long before they are made, for the sake of hosts whose clocks are behind.
  static let backdating: TimeInterval = 3_600

  /// Signs the key of a certificate signing request (PEM). Who its holder is, the authority says: what the request calls itself is
  /// ignored. Throws when the request is not signed with its own key.
  package func issue(to identity: NodeIdentity, request: String, now: Timestamp, validity: Duration) throws -> String {
    let signing = try Self.parse(request)
    guard signing.publicKey.isValidSignature(signing.signature, for: signing) else {
      throw CertificateError(.malformed, "the certificate signing request is not signed with its own key")
    }
    let root = try Certificate(pemEncoded: certificatePEM)
    let key = try P256.Signing.PrivateKey(pemRepresentation: keyPEM)
    let start = now.date
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: signing.publicKey, notValidBefore: start - Self.backdating,
      notValidAfter: start + TimeInterval(validity.components.seconds), issuer: root.subject, subject: try identity.subject,
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true, keyEncipherment: true))
        try ExtendedKeyUsage([.serverAuth, .clientAuth])
        SubjectAlternativeNames([.dnsName(identity.role.rawValue), .dnsName(identity.nodeID)])
      },
      issuerPrivateKey: .init(key))
    return try certificate.serializeAsPEM().pemString + "\n"
  }

  private static func parse(_ request: String) throws -> CertificateSigningRequest {
    do { return try CertificateSigningRequest(pemEncoded: request) } catch {
      throw CertificateError(.malformed, "the certificate signing request cannot be read: \(error)")
    }
  }
}

extension Timestamp {
  var date: Date { Date(timeIntervalSince1970: TimeInterval(nanoseconds) / 1_000_000_000) }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation
import SwiftASN1
import X509

extension CertificateAuthority {
  /// Of a root that others made.
  private static let minimumRest = Duration.seconds(365 * 86_400)

  /// What makes `next` the root that is to be. Throws in swarm's words when it has this one's key.
  package func rotation(to next: CertificateAuthority) throws -> RootRotation {
    let (own, other) = (try Certificate(pemEncoded: certificatePEM), try Certificate(pemEncoded: next.certificatePEM))
    guard own.publicKey != other.publicKey else {
      throw CertificateError(.malformed, "Cannot update to a cert with an identical key")
    }
    let key = try P256.Signing.PrivateKey(pemRepresentation: keyPEM)
    let link = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: other.publicKey, notValidBefore: other.notValidBefore,
      notValidAfter: min(own.notValidAfter, other.notValidAfter), issuer: own.subject, subject: other.subject,
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      },
      issuerPrivateKey: .init(key))
    return RootRotation(certificate: next.certificatePEM, crossSigned: try link.pem, digest: next.digest)
  }

  /// A root that a user brings. Throws in swarm's words.
  package static func given(certificatePEM: String, keyPEM: String, now: Timestamp) throws -> CertificateAuthority {
    let blocks = TrustRoot.blocks(of: certificatePEM)
    guard let first = blocks.first, let certificate = try? Certificate(pemEncoded: first) else {
      throw CertificateError(.malformed, "no valid root CA certificates found")
    }
    guard blocks.count == 1 else {
      throw CertificateError(.malformed, "the desired CA certificate cannot contain multiple certificates")
    }
    guard certificate.issuer == certificate.subject,
      certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
    else {
      throw CertificateError(
        .malformed, "error while validating Root CA Certificate: x509: certificate signed by unknown authority")
    }
    guard Timestamp(certificate.notValidAfter) >= now + minimumRest else {
      throw CertificateError(.malformed, "CA certificate expires too soon")
    }
    guard (try? P256.Signing.PrivateKey(pemRepresentation: keyPEM)) != nil else {
      throw CertificateError(.malformed, "the signing CA key cannot be used: a P-256 key in PEM is expected")
    }
    let given = try CertificateAuthority(certificatePEM: try certificate.pem, keyPEM: keyPEM)
    guard given.isWhole else { throw CertificateError(.malformed, "certificate key mismatch") }
    return given
  }
}

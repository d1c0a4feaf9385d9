// SPDX-License-Identifier: Apache-2.0

import Crypto
package import Foundation
import SwiftASN1
import X509

/// The cluster's own root of trust: a P-256 key and a certificate of 20 years, as swarm makes them.
package struct CertificateAuthority: Sendable {
  package let certificatePEM: String
  /// Secret: belongs into a file that only root reads, never into the store or an answer.
  package let keyPEM: String

  /// SHA-256 over the certificate's PEM text: what join tokens carry.
  package var digest: [UInt8] { Array(SHA256.hash(data: Array(certificatePEM.utf8))) }

  private static let lifetime: TimeInterval = 20 * 365 * 86_400

  /// Makes a new authority. `now` is seconds since 1970.
  package static func make(now: TimeInterval) throws -> CertificateAuthority {
    let key = P256.Signing.PrivateKey()
    let name = try DistinguishedName { CommonName("swarm-ca") }
    let start = Date(timeIntervalSince1970: now)
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: start - backdating,
      notValidAfter: start + lifetime, issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      },
      issuerPrivateKey: .init(key))
    return try CertificateAuthority(certificate: certificate, keyPEM: key.pemRepresentation)
  }

  /// Whether the key is the certificate's.
  package var isWhole: Bool {
    guard let certificate = try? Certificate(pemEncoded: certificatePEM),
      let key = try? P256.Signing.PrivateKey(pemRepresentation: keyPEM)
    else { return false }
    return certificate.publicKey == Certificate.PublicKey(key.publicKey)
  }

  /// Reads an authority that `make` made.
  package init(certificatePEM: String, keyPEM: String) throws {
    try self.init(certificate: try Certificate(pemEncoded: certificatePEM), keyPEM: keyPEM)
  }

  private init(certificate: Certificate, keyPEM: String) throws {
    certificatePEM = try certificate.serializeAsPEM().pemString + "\n"
    self.keyPEM = keyPEM
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import X509

extension TrustRoot {
  /// The roots to believe from now on, as the managers say. One that was not believed before must have been certified by one that was.
  package func succeeded(by pem: String, crossSigned: String?) throws(CertificateError) -> TrustRoot {
    let next = try TrustRoot(pem: pem)
    for root in next.certificates where !certificates.contains(root) {
      guard let crossSigned, let link = try? Certificate(pemEncoded: crossSigned), link.publicKey == root.publicKey,
        link.subject == root.subject, issuer(of: link) != nil
      else {
        throw CertificateError(
          .foreign, "the managers want another root certificate to be believed, which the present one does not certify")
      }
    }
    return next
  }
}

extension NodeCredentials {
  /// What the node says of its certificate.
  package var tls: NodeTLS {
    get throws { NodeTLS(trustRoot: root.pem, issuer: try issuer.map { try $0.pem } ?? "") }
  }

  /// As `Cluster.authorityMark`, for what this node believes and has; another while they differ.
  var currentMark: String {
    let roots = root.certificates.map { root in (try? root.pem).map { JoinToken.hexadecimal(TrustRoot.digest(of: $0)) } ?? "" }
    let isCurrent = (try? issuer) == root.certificates.last
    return (isCurrent ? [] : ["renew"]).reduce(into: roots) { $0.append($1) }.joined(separator: "-")
  }

  private var issuer: Certificate? { get throws { root.issuer(of: try Certificate(pemEncoded: certificatePEM)) } }
}

extension Certificate {
  /// In the one form that digests are taken of.
  var pem: String { get throws { try serializeAsPEM().pemString + "\n" } }
}

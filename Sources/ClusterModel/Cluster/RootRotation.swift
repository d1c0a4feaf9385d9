// SPDX-License-Identifier: Apache-2.0

/// A change of the cluster's root that is under way: nodes are to trust both, and to have their certificates from the new one.
package struct RootRotation: Codable, Sendable, Hashable {
  /// PEM of the root that is to be.
  package var certificate: String
  /// PEM of a certificate for the same key by the root that is: why nodes may believe in the new one.
  package var crossSigned: String
  /// SHA-256 of `certificate`: what join tokens carry afterwards.
  package var digest: [UInt8]

  package init(certificate: String, crossSigned: String, digest: [UInt8]) {
    self.certificate = certificate
    self.crossSigned = crossSigned
    self.digest = digest
  }
}

/// What a node says of its certificate.
package struct NodeTLS: Codable, Sendable, Hashable {
  /// PEM of all roots that it believes.
  package var trustRoot: String
  /// PEM of the root that its certificate is from.
  package var issuer: String

  package init(trustRoot: String, issuer: String) {
    self.trustRoot = trustRoot
    self.issuer = issuer
  }
}

extension Cluster {
  /// PEM of all roots that nodes are to believe.
  package var trustBundle: String { trustRoot + (rotation?.certificate ?? "") }
  /// PEM of the root that nodes' certificates are to be from.
  package var issuer: String { rotation?.certificate ?? trustRoot }

  /// Names what nodes are to believe and to have; one that has another is to ask. See `TrustRoot.mark`.
  package var authorityMark: String? {
    guard let current = JoinToken.digestText(joinTokens.worker) else { return nil }
    return ([current] + (rotation.map { [JoinToken.hexadecimal($0.digest)] } ?? [])).joined(separator: "-")
  }
}

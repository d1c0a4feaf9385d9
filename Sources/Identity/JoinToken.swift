// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto

/// `SWMTKN-1-<digest of the root certificate>-<secret>`: the digest lets a joining node check the authority before it sends the secret,
/// and the secret decides its role.
package struct JoinToken: Sendable, Hashable, CustomStringConvertible {
  private static let prefix = "SWMTKN-1"
  private static let digestLength = 50
  private static let secretLength = 25

  package let digest: String
  package let secret: String

  /// A new token for the authority whose certificate is `certificatePEM`.
  package init(certificatePEM: String, using generator: inout some RandomNumberGenerator) {
    digest = Self.digest(of: certificatePEM)
    let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    secret = Self.padded(Identifier.base36(bytes), to: Self.secretLength)
  }

  /// `nil` for anything that is no token.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, parts[0] + "-" + parts[1] == Self.prefix, parts[2].count == Self.digestLength,
      parts[3].count == Self.secretLength
    else { return nil }
    (digest, secret) = (parts[2], parts[3])
  }

  package var description: String { "\(Self.prefix)-\(digest)-\(secret)" }

  /// SHA-256 over the PEM text, in base 36.
  package static func digest(of certificatePEM: String) -> String {
    padded(Identifier.base36(Array(SHA256.hash(data: Array(certificatePEM.utf8)))), to: digestLength)
  }

  private static func padded(_ text: String, to length: Int) -> String {
    String(repeating: "0", count: max(0, length - text.count)) + text
  }
}

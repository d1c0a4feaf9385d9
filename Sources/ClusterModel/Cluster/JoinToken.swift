// SPDX-License-Identifier: Apache-2.0

/// `SWMTKN-1-<digest of the root certificate>-<secret>`: the digest lets a host check the cluster before it shows the secret.
package struct JoinToken: Sendable, Hashable, CustomStringConvertible {
  /// 50 digits of base 36.
  package let digest: String
  /// 25 digits of base 36.
  package var secret: String

  /// `digest`: SHA-256 over the root certificate as PEM bytes.
  package init(digest: [UInt8], secret: String) {
    self.digest = Self.padded(Identifier.base36(digest), to: 50)
    self.secret = secret
  }

  /// `nil` for anything that is no join token.
  package init?(_ text: some StringProtocol) {
    let parts: [String] = text.split(separator: "-" as Character, omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 4, parts[0] == "SWMTKN", parts[1] == "1", parts[2].utf8.count == 50, parts[3].utf8.count == 25,
      (parts[2] + parts[3]).utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
    else { return nil }
    (digest, secret) = (parts[2], parts[3])
  }

  package static func secret(using generator: inout some RandomNumberGenerator) -> String {
    padded(Identifier.base36((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }), to: 25)
  }

  package var description: String { "SWMTKN-1-\(digest)-\(secret)" }

  private static func padded(_ digits: String, to length: Int) -> String {
    String(repeating: "0", count: max(0, length - digits.utf8.count)) + digits
  }
}

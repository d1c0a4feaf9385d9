// SPDX-License-Identifier: Apache-2.0

/// What can be done with the text of a join token, `SWMTKN-1-<digest>-<secret>`, without the certificate it belongs to.
package enum JoinTokenText {
  private static let digestLength = 50
  private static let secretLength = 25

  package static func isValid(_ token: String) -> Bool { parts(token) != nil }

  /// The same token with another secret, which is the part that gives entry: 16 random bytes in base 36. `nil` when `token` is none.
  package static func rotated(_ token: String, using generator: inout some RandomNumberGenerator) -> String? {
    guard let parts = parts(token) else { return nil }
    let secret = Identifier.base36((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    let padding = String(repeating: "0", count: secretLength - secret.utf8.count)
    return (parts.dropLast() + [padding + secret]).joined(separator: "-")
  }

  private static func parts(_ token: String) -> [String]? {
    let parts: [String] = token.split(separator: "-" as Character, omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 4, parts[0] == "SWMTKN", parts[1] == "1", parts[2].utf8.count == digestLength,
      parts[3].utf8.count == secretLength, (parts[2] + parts[3]).utf8.allSatisfy(isBase36)
    else { return nil }
    return parts
  }

  private static func isBase36(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
}

// SPDX-License-Identifier: Apache-2.0

/// The text of a join token, `SWMTKN-1-<digest>-<secret>`: the digest lets a joining host check the cluster's root certificate before it
/// sends the secret, and the secret decides its role.
package enum JoinToken {
  private static let digestLength = 50
  private static let secretLength = 25

  /// A new token of the cluster whose root certificate has this SHA-256 digest, taken over its PEM text.
  package static func make(digest: [UInt8], using generator: inout some RandomNumberGenerator) -> String {
    "SWMTKN-1-\(padded(Identifier.base36(digest), to: digestLength))-\(secret(using: &generator))"
  }

  package static func isValid(_ token: String) -> Bool { parts(token) != nil }

  /// Whether the token is for the cluster whose root certificate has this digest. False for what is no token.
  package static func matches(_ token: String, digest: [UInt8]) -> Bool {
    parts(token)?[2] == padded(Identifier.base36(digest), to: digestLength)
  }

  /// Whether two tokens are the same, in a time that does not tell where they differ. False for what is no token.
  package static func equal(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count, !left.isEmpty else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// The digest that the token asks for, in hexadecimal; `nil` when `token` is none.
  package static func digestText(_ token: String) -> String? {
    guard let parts = parts(token) else { return nil }
    var bytes: [UInt8] = Array(repeating: 0, count: 32)
    for digit in parts[2].utf8 {
      var carry = Int(digit) - (digit < 0x3A ? 0x30 : 0x57)
      for index in bytes.indices.reversed() {
        carry += Int(bytes[index]) * 36
        bytes[index] = UInt8(carry & 0xFF)
        carry >>= 8
      }
    }
    return hexadecimal(bytes)
  }

  package static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The same token with another secret, which is the part that gives entry: 16 random bytes in base 36. `nil` when `token` is none.
  package static func rotated(_ token: String, using generator: inout some RandomNumberGenerator) -> String? {
    guard let parts = parts(token) else { return nil }
    return (parts.dropLast() + [secret(using: &generator)]).joined(separator: "-")
  }

  private static func secret(using generator: inout some RandomNumberGenerator) -> String {
    padded(Identifier.base36((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }), to: secretLength)
  }

  private static func padded(_ digits: String, to length: Int) -> String {
    String(repeating: "0", count: max(0, length - digits.utf8.count)) + digits
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

// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address. Parsing takes four decimal octets without leading zeros and nothing else.
package struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// In host order: 127.0.0.1 is `0x7f00_0001`.
  package let rawValue: UInt32

  package static let loopback = IPv4Address(rawValue: 0x7f00_0001)

  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  package init?(_ text: some StringProtocol) {
    let octets = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard octets.count == 4 else { return nil }
    var value: UInt32 = 0
    for octet in octets {
      guard let number = Self.octet(octet) else { return nil }
      value = value << 8 | UInt32(number)
    }
    rawValue = value
  }

  package var description: String {
    (0..<4).map { String(rawValue >> (24 - 8 * $0) & 0xff) }.joined(separator: ".")
  }

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  // A leading zero is refused because some parsers read it as octal.
  private static func octet(_ digits: some Collection<UInt8>) -> UInt8? {
    guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    if digits.count > 1, digits.first == UInt8(ascii: "0") { return nil }
    return UInt8(exactly: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
  }
}

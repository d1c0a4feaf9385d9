// SPDX-License-Identifier: Apache-2.0

/// An address of either family, with those of IPv4 written as IPv6 maps them (`::ffff:10.0.0.1`), as Go's `net.IP` compares them.
package struct IPAddress: Sendable, Hashable {
  /// 16 of them.
  package let bytes: [UInt8]

  package init(_ address: IPv4Address) {
    let bits = address.bits
    self.init(bytes: Self.mapping + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) })
  }

  /// Parses either form; `nil` for anything else, zones included.
  package init?(_ text: some StringProtocol) {
    if let address = IPv4Address(text) {
      self.init(address)
    } else if let bytes = Self.parse(String(text)) {
      self.init(bytes: bytes)
    } else {
      return nil
    }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  package var isIPv4: Bool { bytes.starts(with: Self.mapping) }

  private static let mapping: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]

  private static func parse(_ text: String) -> [UInt8]? {
    guard let gap = text.firstRange(of: "::") else {
      guard let all = groups(text[...]), all.count == 16 else { return nil }
      return all
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]), head.count + tail.count <= 14
    else { return nil }
    return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  /// Groups of hexadecimal digits, of which the last may be an IPv4 address.
  private static func groups(_ text: Substring) -> [UInt8]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, let last = IPv4Address(part) {
        bytes += IPAddress(last).bytes.suffix(4)
      } else {
        guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16) else {
          return nil
        }
        bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
      }
    }
    return bytes
  }
}

/// A network of either family in CIDR form.
package struct IPSubnet: Sendable, Hashable {
  private let base: IPAddress
  private let prefix: Int

  /// Parses `10.0.0.0/24` or `2001:db8::/32`; `nil` for anything else. Bits beyond the prefix are not looked at.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let base = IPAddress(parts[0]), parts[1].allSatisfy(\.isNumber), let bits = Int(parts[1]) else {
      return nil
    }
    let isIPv4 = !parts[0].contains(":")
    guard bits <= (isIPv4 ? 32 : 128) else { return nil }
    self.base = base
    prefix = isIPv4 ? bits + 96 : bits
  }

  /// Never one of the other family.
  package func contains(_ address: IPAddress) -> Bool {
    guard address.isIPv4 == base.isIPv4 else { return false }
    let whole = prefix / 8
    guard address.bytes.prefix(whole) == base.bytes.prefix(whole) else { return false }
    let rest = prefix % 8
    return rest == 0 || (address.bytes[whole] ^ base.bytes[whole]) >> (8 - rest) == 0
  }
}

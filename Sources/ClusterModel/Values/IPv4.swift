// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address.
package struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var bits: UInt32

  package init(bits: UInt32) { self.bits = bits }

  /// Parses dotted decimal; `nil` for anything else, leading zeros included.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      guard let byte = UInt8(part), part.count == String(byte).count else { return nil }
      bits = bits << 8 | UInt32(byte)
    }
    self.bits = bits
  }

  package static let loopback = IPv4Address(bits: 0x7F00_0001)

  package var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }

  /// The Ethernet address of a container that has this one, as older engines make it: `02:42` and the address.
  package var containerHardwareAddress: String {
    let octets = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
    return (["02", "42"] + octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }).joined(separator: ":")
  }

  package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}

extension IPv4Address: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let address = IPv4Address(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(text) is no IPv4 address"))
    }
    self = address
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// An IPv4 network in CIDR form.
package struct IPv4Subnet: Sendable, Hashable, CustomStringConvertible {
  /// The first address; host bits are zero.
  package let base: IPv4Address
  package let prefix: Int

  package init(base: IPv4Address, prefix: Int) {
    self.prefix = min(max(prefix, 0), 32)
    self.base = IPv4Address(bits: base.bits & Self.mask(self.prefix))
  }

  /// Parses `10.0.0.0/24`; `nil` for anything else. Host bits are dropped.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(parts[0]), let prefix = Int(parts[1]), (0...32).contains(prefix) else {
      return nil
    }
    self.init(base: address, prefix: prefix)
  }

  package var description: String { "\(base)/\(prefix)" }
  package var last: IPv4Address { IPv4Address(bits: base.bits | ~Self.mask(prefix)) }
  /// The first usable address, which is the bridge's own.
  package var gateway: IPv4Address { IPv4Address(bits: base.bits + 1) }

  package func contains(_ address: IPv4Address) -> Bool { address.bits & Self.mask(prefix) == base.bits }
  package func overlaps(_ other: IPv4Subnet) -> Bool { contains(other.base) || other.contains(base) }

  private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) }
}

extension IPv4Subnet: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let subnet = IPv4Subnet(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(text) is no IPv4 network"))
    }
    self = subnet
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One message of the kernel's answer.
package struct NetlinkReply: Sendable, Hashable {
  package let type: UInt16
  /// What follows the header.
  package let body: [UInt8]

  /// A number of the fixed part; 0 where the message is too short.
  package func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type = Number.self) -> Number {
    Self.number(body[...], at: offset)
  }

  /// The attributes behind a fixed part of `size` bytes; of a type that is repeated the last.
  package func attributes(after size: Int) -> [UInt16: [UInt8]] { Self.attributes(Array(body.dropFirst((size + 3) & ~3))) }

  /// Those within an attribute. What is cut off is left out.
  package static func attributes(_ bytes: [UInt8]) -> [UInt16: [UInt8]] {
    var found: [UInt16: [UInt8]] = [:]
    var rest = bytes[...]
    while rest.count >= 4 {
      let length = Int(number(rest, at: 0) as UInt16)
      guard length >= 4, length <= rest.count else { break }
      // The upper bits say how the value is coded.
      found[number(rest, at: 2) & 0x3FFF] = Array(rest.dropFirst(4).prefix(length - 4))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return found
  }

  package static func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Number {
    let size = MemoryLayout<Number>.size
    let part = bytes.dropFirst(offset).prefix(size)
    guard part.count == size else { return 0 }
    return part.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
  }
}

extension [UInt8] {
  /// An attribute's value as a number in the machine's order; 0 where it is too short.
  package func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
    NetlinkReply.number(self[...], at: 0)
  }

  /// An attribute's value as a name.
  package var name: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}

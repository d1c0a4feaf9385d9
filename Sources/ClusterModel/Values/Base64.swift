// SPDX-License-Identifier: Apache-2.0

/// Standard and URL-safe base64 (RFC 4648), padding optional when reading.
package enum Base64 {
  package static func encode(_ bytes: [UInt8]) -> String {
    // In place: a list of configs is megabytes.
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
      var (from, to) = (0, 0)
      while from < bytes.count {
        let count = min(3, bytes.count - from)
        var bits = UInt32(bytes[from]) << 16
        if count > 1 { bits |= UInt32(bytes[from + 1]) << 8 }
        if count > 2 { bits |= UInt32(bytes[from + 2]) }
        for index in 0..<4 {
          text[to + index] = index <= count ? alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "=")
        }
        (from, to) = (from + 3, to + 4)
      }
      return to
    }
  }

  /// `nil` for anything that is no base64; white space is skipped.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 where byte != UInt8(ascii: "=") && byte > 0x20 {
      guard let value = value(of: byte) else { return nil }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return count < 6 ? bytes : nil
  }

  private static func value(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - 65)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - 97 + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - 48 + 52)
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

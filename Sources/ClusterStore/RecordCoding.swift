// SPDX-License-Identifier: Apache-2.0

/// Why stored bytes could not be read.
package struct RecordError: Error, Hashable, CustomStringConvertible {
  package var message: String
  package init(_ message: String) { self.message = message }
  package var description: String { message }
}

/// Writes the compact form of one record: varints, and strings with their length in front.
struct RecordWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Small negative numbers stay small (zigzag).
  mutating func write(_ number: Int64) { write(UInt64(bitPattern: number << 1 ^ number >> 63)) }
  mutating func write(_ number: Int) { write(Int64(number)) }
  mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  mutating func write(_ string: String) {
    write(UInt64(string.utf8.count))
    bytes += string.utf8
  }
}

/// Reads what `RecordWriter` wrote; never past the end.
struct RecordReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func byte() throws(RecordError) -> UInt8 {
    guard position < bytes.count else { throw RecordError("the record ends early, at byte \(position)") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func unsigned() throws(RecordError) -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw RecordError("a number is longer than 64 bits, at byte \(position)")
  }

  mutating func signed() throws(RecordError) -> Int64 {
    let raw = try unsigned()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  mutating func int() throws(RecordError) -> Int { Int(try signed()) }
  mutating func flag() throws(RecordError) -> Bool { try byte() != 0 }

  mutating func string() throws(RecordError) -> String {
    let count = try unsigned()
    guard count <= UInt64(bytes.count - position) else {
      throw RecordError("a text runs past the record's end, at byte \(position)")
    }
    defer { position += Int(count) }
    return String(decoding: bytes[position..<position + Int(count)], as: UTF8.self)
  }
}

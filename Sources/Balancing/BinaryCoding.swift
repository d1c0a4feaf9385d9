// SPDX-License-Identifier: Apache-2.0

/// Why bytes were refused. They come from another process, perhaps of another version, and are never trusted.
package struct BinaryCodingError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case truncated, trailingBytes, unsupportedVersion, invalidValue, tooLarge
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { "\(code.rawValue): \(message)" }
}

/// Big-endian integers and length-prefixed strings, appended to a growing buffer.
package struct BinaryWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func write(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// At most 65,535 bytes of UTF-8: a longer text is cut, which its reader refuses if the cut splits a character.
  package mutating func write(_ text: String) {
    let utf8 = text.utf8.prefix(Int(UInt16.max))
    write(UInt16(utf8.count))
    bytes.append(contentsOf: utf8)
  }

  package mutating func write(raw: some Collection<UInt8>) {
    bytes.append(contentsOf: raw)
  }
}

/// Reads what `BinaryWriter` wrote, checking every length against what is left.
package struct BinaryReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  package var remaining: Int { bytes.count - position }

  package mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(BinaryCodingError) -> Value {
    let size = Value.bitWidth / 8
    try require(size)
    var value: Value = 0
    for byte in bytes[position..<position + size] { value = value << 8 | Value(truncatingIfNeeded: byte) }
    position += size
    return value
  }

  package mutating func readString() throws(BinaryCodingError) -> String {
    let count = Int(try read(UInt16.self))
    try require(count)
    guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
      throw BinaryCodingError(.invalidValue, "text at byte \(position) is not UTF-8")
    }
    position += count
    return text
  }

  /// A count of elements of at least `size` bytes each. More than could follow is refused before anything is allocated.
  package mutating func readCount(elementsOf size: Int) throws(BinaryCodingError) -> Int {
    let count = Int(try read(UInt32.self))
    guard count <= remaining / size else {
      throw BinaryCodingError(.truncated, "\(count) elements announced at byte \(position), \(remaining) bytes left")
    }
    return count
  }

  package mutating func readEnd() throws(BinaryCodingError) {
    guard remaining == 0 else { throw BinaryCodingError(.trailingBytes, "\(remaining) bytes after the end") }
  }

  private func require(_ count: Int) throws(BinaryCodingError) {
    guard remaining >= count else {
      throw BinaryCodingError(.truncated, "\(count) bytes wanted at byte \(position), \(remaining) left")
    }
  }
}

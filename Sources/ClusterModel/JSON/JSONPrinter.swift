// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
  /// Compact JSON text.
  package var bytes: [UInt8] {
    var printer = JSONPrinter()
    printer.print(self)
    return printer.bytes
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

struct JSONPrinter {
  var bytes: [UInt8] = []

  mutating func print(_ value: JSONValue) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool(let bool): bytes += (bool ? "true" : "false").utf8
    case .number(let text): bytes += text.utf8
    case .string(let string): print(string)
    case .array(let array): print(array)
    case .object(let object): print(object)
    }
  }

  private mutating func print(_ array: [JSONValue]) {
    bytes.append(UInt8(ascii: "["))
    for (index, element) in array.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      print(element)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func print(_ object: JSONObject) {
    bytes.append(UInt8(ascii: "{"))
    for (index, member) in object.members.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      print(member.key)
      bytes.append(UInt8(ascii: ":"))
      print(member.value)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func print(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    if string.utf8.contains(where: Self.isSpecial) { string.utf8.forEach { print(escaping: $0) } } else { bytes += string.utf8 }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func print(escaping byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    case 0x0A: bytes += "\\n".utf8
    case 0x0D: bytes += "\\r".utf8
    case 0x09: bytes += "\\t".utf8
    case 0..<0x20: bytes += Array("\\u00".utf8) + [Self.hex[Int(byte >> 4)], Self.hex[Int(byte & 15)]]
    default: bytes.append(byte)
    }
  }

  private static let hex = Array("0123456789abcdef".utf8)
}

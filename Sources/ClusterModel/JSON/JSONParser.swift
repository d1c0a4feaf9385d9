// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, in the words Go's decoder uses, because clients print them.
package struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
  package var message: String
  /// Bytes read before the error.
  package var offset: Int
  package var description: String { message }
}

extension JSONValue {
  /// Parses one JSON value and nothing after it. Nesting deeper than 1,000 is refused, so that no input can exhaust the stack.
  package init(parsing bytes: some Sequence<UInt8>) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: Array(bytes))
    self = try parser.document()
  }

  package init(parsing text: String) throws(JSONSyntaxError) { try self.init(parsing: Array(text.utf8)) }
}

struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  private var depth = 0
  private static let maximumDepth = 1_000

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw error("unexpected content after JSON") }
    return value
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    guard let byte = peek() else {
      // Go tells nothing at all from something cut short.
      throw error(bytes.allSatisfy { $0 <= 0x20 } ? "EOF" : "unexpected EOF")
    }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONSyntaxError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONSyntaxError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: throw invalid("looking for beginning of value")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw error("exceeded max depth") }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func object() throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var object = JSONObject()
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(object) }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else { throw invalid("looking for beginning of object key string") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw invalid("after object key") }
      object.append(key, try value())
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(object) }
      guard take(UInt8(ascii: ",")) else { throw invalid("after object key:value pair") }
    }
  }

  private mutating func array() throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var array: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(array) }
    while true {
      array.append(try value())
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(array) }
      guard take(UInt8(ascii: ",")) else { throw invalid("after array element") }
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    let wanted = Array(text.description.utf8)
    for byte in wanted {
      guard take(byte) else { throw invalid("in literal \(text)") }
    }
    return value
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits("in numeric literal") }
    if take(UInt8(ascii: ".")) { try digits("after decimal point in numeric literal") }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try digits("in exponent of numeric literal")
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits(_ place: String) throws(JSONSyntaxError) {
    let start = position
    while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw invalid(place) }
  }
}

extension JSONParser {
  func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  func error(_ message: String) -> JSONSyntaxError { JSONSyntaxError(message: message, offset: position) }

  func invalid(_ place: String) -> JSONSyntaxError {
    guard let byte = peek() else { return error("unexpected EOF") }
    let shown = byte == UInt8(ascii: "'") ? "\\'" : String(decoding: [byte], as: UTF8.self)
    return error("invalid character '\(shown)' \(place)")
  }

  mutating func string() throws(JSONSyntaxError) -> String {
    position += 1
    let start = position
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    if peek() == UInt8(ascii: "\"") {
      defer { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
    return try escapedString(from: start)
  }

  private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
    var text = Array(bytes[start..<position])
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
      case 0..<0x20:
        position -= 1
        throw invalid("in string literal")
      default: text.append(byte)
      }
    }
    throw error("unexpected EOF")
  }

  private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
    guard let byte = peek() else { throw error("unexpected EOF") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(String(try unicodeScalar()).utf8)
    default:
      position -= 1
      throw invalid("in string escape code")
    }
  }

  /// A lone surrogate becomes U+FFFD, as in Go.
  private mutating func unicodeScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
    let first = try hexUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    let mark = position
    if first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
      let second = try hexUnit()
      if (0xDC00...0xDFFF).contains(second) {
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? "\u{FFFD}"
      }
    }
    position = mark
    return "\u{FFFD}"
  }

  private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw invalid("in \\u hexadecimal character escape")
      }
      position += 1
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}

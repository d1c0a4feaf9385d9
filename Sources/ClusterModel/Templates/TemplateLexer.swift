// SPDX-License-Identifier: Apache-2.0

/// Cuts an action's text into words.
struct TemplateLexer {
  private var rest: Substring

  static func tokens(_ text: Substring) throws(TemplateError) -> [TemplateToken] {
    var lexer = TemplateLexer(rest: text)
    var tokens: [TemplateToken] = []
    while let token = try lexer.next() { tokens.append(token) }
    return tokens
  }

  private mutating func next() throws(TemplateError) -> TemplateToken? {
    let trimmed = rest.drop(while: \.isWhitespace)
    let isApart = trimmed.startIndex != rest.startIndex
    rest = trimmed
    guard let first = rest.first else { return nil }
    return TemplateToken(kind: try kind(first), isApart: isApart)
  }

  private mutating func kind(_ first: Character) throws(TemplateError) -> TemplateToken.Kind {
    let second = rest.dropFirst().first
    switch first {
    case "|": return punctuation(.pipe)
    case "(": return punctuation(.open)
    case ")": return punctuation(.close)
    case ",": return punctuation(.comma)
    case "=": return punctuation(.assign)
    case ":" where second == "=": return punctuation(.declare, length: 2)
    case "\"", "`", "'": return .literal(try quoted(first))
    case "." where second?.isNumber != true: return try fields()
    case "$":
      rest.removeFirst()
      return .variable(word())
    case _ where first.isNumber || (first == "-" || first == "+" || first == "."): return .literal(try number())
    case _ where Self.isWord(first): return .name(word())
    default: throw .parsing("unexpected \"\(first)\" in operand")
    }
  }

  private mutating func punctuation(_ kind: TemplateToken.Kind, length: Int = 1) -> TemplateToken.Kind {
    rest = rest.dropFirst(length)
    return kind
  }

  private mutating func word() -> String {
    let word = rest.prefix(while: Self.isWord)
    rest = rest.dropFirst(word.count)
    return String(word)
  }

  private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }

  private mutating func fields() throws(TemplateError) -> TemplateToken.Kind {
    var names: [String] = []
    while rest.first == "." {
      rest.removeFirst()
      let name = word()
      if name.isEmpty {
        guard names.isEmpty, rest.first != "." else { throw .parsing("unexpected . in operand") }
        break
      }
      names.append(name)
    }
    return .field(names)
  }

  private mutating func number() throws(TemplateError) -> TemplateValue {
    let text = rest.prefix { Self.isWord($0) || "+-.".contains($0) }
    rest = rest.dropFirst(text.count)
    let plain = text.replacing("_", with: "").lowercased()
    let digits = plain.drop { "+-".contains($0) }
    let radix = ["0x": 16, "0o": 8, "0b": 2][String(digits.prefix(2))]
    if let radix, let value = Int(digits.dropFirst(2), radix: radix) { return .integer(plain.hasPrefix("-") ? -value : value) }
    if let value = Int(plain) { return .integer(value) }
    if let value = Double(plain), value.isFinite { return .decimal(value) }
    throw .parsing("bad number syntax: \"\(text)\"")
  }

  private mutating func quoted(_ quote: Character) throws(TemplateError) -> TemplateValue {
    rest.removeFirst()
    var text = ""
    while let next = rest.popFirst() {
      if next == quote { return try Self.literal(text, quote) }
      if next == "\n", quote != "`" { break }
      guard next == "\\", quote != "`" else {
        text.append(next)
        continue
      }
      guard let escaped = rest.popFirst(), let character = Self.escapes[escaped] else {
        throw .parsing("bad escape in quoted string")
      }
      text.append(character)
    }
    throw .parsing("unterminated quoted string")
  }

  /// A character in single quotes is its number, as in Go.
  private static func literal(_ text: String, _ quote: Character) throws(TemplateError) -> TemplateValue {
    guard quote == "'" else { return .text(text) }
    guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first else {
      throw .parsing("malformed character constant: '\(text)'")
    }
    return .integer(Int(scalar.value))
  }

  private static let escapes: [Character: Character] = [
    "\"": "\"", "'": "'", "\\": "\\", "n": "\n", "t": "\t", "r": "\r",
  ]
}

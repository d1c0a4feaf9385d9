// SPDX-License-Identifier: Apache-2.0

enum TemplateToken: Sendable, Hashable {
  case field([String])
  case string(String)
  case name(String)

  /// The words of one action; `nil` for a comment.
  static func scan(_ text: Substring) throws(TemplateError) -> [TemplateToken]? {
    var rest = text.drop(while: \.isWhitespace)
    if rest.hasPrefix("/*") { return nil }
    var tokens: [TemplateToken] = []
    while let first = rest.first {
      switch first {
      case "\"", "`": tokens.append(.string(try string(&rest, quote: first)))
      case ".": tokens.append(.field(try word(&rest).split(separator: ".").map(String.init)))
      default: tokens.append(.name(try word(&rest)))
      }
      rest = rest.drop(while: \.isWhitespace)
    }
    guard !tokens.isEmpty else { throw TemplateError("template: expansion: missing value for command") }
    return tokens
  }

  private static func word(_ rest: inout Substring) throws(TemplateError) -> String {
    let word = rest.prefix { !$0.isWhitespace }
    guard let bad = word.first(where: { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }) else {
      rest = rest.dropFirst(word.count)
      return String(word)
    }
    throw TemplateError("template: expansion: unexpected \"\(bad)\" in operand")
  }

  private static func string(_ rest: inout Substring, quote: Character) throws(TemplateError) -> String {
    rest.removeFirst()
    var text = ""
    while let next = rest.popFirst() {
      if next == quote { return text }
      if next == "\\", quote == "\"" {
        guard let escaped = rest.popFirst(), let character = escapes[escaped] else {
          throw TemplateError("template: expansion: bad escape in quoted string")
        }
        text.append(character)
      } else {
        text.append(next)
      }
    }
    throw TemplateError("template: expansion: unterminated quoted string")
  }

  private static let escapes: [Character: Character] = ["\"": "\"", "\\": "\\", "n": "\n", "t": "\t"]
}

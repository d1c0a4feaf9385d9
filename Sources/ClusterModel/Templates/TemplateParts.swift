// SPDX-License-Identifier: Apache-2.0

/// Parts a template's text into what stands as it is and actions, with `{{-`, `-}}` and comments done.
enum TemplateParts {
  static func cut(_ text: String) throws(TemplateError) -> [TemplateParser.Part] {
    var parts: [TemplateParser.Part] = []
    var rest = text[...]
    var trimsNext = false
    while let open = rest.firstRange(of: "{{") {
      var before = rest[..<open.lowerBound]
      if trimsNext { before = before.drop(while: \.isWhitespace) }
      rest = rest[open.upperBound...]
      if rest.first == "-", rest.dropFirst().first?.isWhitespace == true {
        before = trimmedEnd(before)
        rest = rest.dropFirst()
      }
      if !before.isEmpty { parts.append(.text(String(before))) }
      var action = try takeAction(&rest)
      trimsNext = action.last == "-" && action.dropLast().last?.isWhitespace == true
      if trimsNext { action = action.dropLast() }
      if isComment(action) { continue }
      let tokens = try TemplateLexer.tokens(action)
      guard !tokens.isEmpty else { throw .parsing("missing value for command") }
      parts.append(.action(tokens))
    }
    let end = trimsNext ? rest.drop(while: \.isWhitespace) : rest
    if !end.isEmpty { parts.append(.text(String(end))) }
    return parts
  }

  /// Up to the `}}` that is in no text or comment.
  private static func takeAction(_ rest: inout Substring) throws(TemplateError) -> Substring {
    let start = rest
    if isComment(rest) {
      guard let end = rest.firstRange(of: "*/") else { throw .parsing("unclosed comment") }
      rest = rest[end.upperBound...]
    }
    var quote: Character?
    while let next = rest.first {
      if quote == nil, rest.hasPrefix("}}") {
        defer { rest = rest.dropFirst(2) }
        return start[..<rest.startIndex]
      }
      rest.removeFirst()
      if next == "\\", quote != nil, quote != "`" {
        rest = rest.dropFirst()
      } else if next == quote {
        quote = nil
      } else if quote == nil, "\"`'".contains(next) {
        quote = next
      }
    }
    throw .parsing(quote == nil ? "unclosed action" : "unterminated quoted string")
  }

  private static func isComment(_ text: Substring) -> Bool { text.drop(while: \.isWhitespace).hasPrefix("/*") }

  private static func trimmedEnd(_ text: Substring) -> Substring {
    var text = text
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

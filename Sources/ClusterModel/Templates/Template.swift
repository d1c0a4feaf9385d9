// SPDX-License-Identifier: Apache-2.0

/// The part of Go's text/template that specs are written in: fields, `index`, `join`, string literals, `{{-` and `-}}`, comments.
///
/// Anything else of the language (pipelines, variables, control structures) is refused, at the API and on the node alike.
package struct Template: Sendable, Hashable {
  enum Part: Sendable, Hashable {
    case text(String)
    case action([TemplateToken])
  }

  let parts: [Part]

  /// Parses without expanding. Text without `{{` always parses.
  package init(parsing text: String) throws(TemplateError) {
    var parts: [Part] = []
    var rest = text[...]
    var trimsNext = false
    while let open = rest.firstRange(of: "{{") {
      var before = String(rest[..<open.lowerBound])
      if trimsNext { before = Self.trimStart(before) }
      var body = rest[open.upperBound...]
      if body.hasPrefix("- ") {
        before = Self.trimEnd(before)
        body = body.dropFirst(2)
      }
      guard let close = body.firstRange(of: "}}") else { throw TemplateError("template: expansion: unclosed action") }
      var inner = body[..<close.lowerBound]
      trimsNext = inner.hasSuffix(" -")
      if trimsNext { inner = inner.dropLast(2) }
      parts.append(.text(before))
      if let tokens = try TemplateToken.scan(inner) { parts.append(.action(tokens)) }
      rest = body[close.upperBound...]
    }
    parts.append(.text(trimsNext ? Self.trimStart(String(rest)) : String(rest)))
    self.parts = parts
  }

  package func expand(_ context: TemplateContext) throws(TemplateError) -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .action(let tokens): result += try TemplateCall(tokens).value(context).text
      }
    }
    return result
  }

  /// Parses and expands in one step.
  package static func expand(_ text: String, _ context: TemplateContext) throws(TemplateError) -> String {
    guard text.contains("{{") else { return text }
    return try Template(parsing: text).expand(context)
  }

  private static func trimStart(_ text: String) -> String { String(text.drop(while: \.isWhitespace)) }

  private static func trimEnd(_ text: String) -> String {
    var text = text
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

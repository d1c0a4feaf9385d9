// SPDX-License-Identifier: Apache-2.0

/// Makes nodes of a template's text.
struct TemplateParser {
  enum Part {
    case text(String)
    case action([TemplateToken])
  }

  /// Deeper than any template a person writes; the text may be anybody's.
  private static let deepest = 50

  private var parts: ArraySlice<Part>
  private var depth = 0
  /// Loops around the present place.
  private var loops = 0

  /// `functions`: those of `PayloadTemplate` that the text may call.
  static func parse(_ text: String, functions: Set<String> = []) throws(TemplateError) -> [TemplateNode] {
    let parts = try TemplateParts.cut(text)
    for part in parts { try check(part, functions) }
    var parser = TemplateParser(parts: parts[...])
    let (nodes, end) = try parser.list()
    if let end { throw .parsing("unexpected {{\(end.word)}}") }
    return nodes
  }

  private static func check(_ part: Part, _ functions: Set<String>) throws(TemplateError) {
    guard case .action(let tokens) = part else { return }
    for case .name(let name) in tokens.map(\.kind) where PayloadTemplate.functions.contains(name) && !functions.contains(name) {
      throw .parsing("function \"\(name)\" not defined")
    }
  }

  /// What ended a list of nodes: `end`, or `else` with the rest of its words.
  private struct End {
    var word: String
    var rest: ArraySlice<TemplateToken>
  }

  private mutating func list() throws(TemplateError) -> ([TemplateNode], End?) {
    var nodes: [TemplateNode] = []
    while let part = parts.popFirst() {
      switch part {
      case .text(let text): nodes.append(.text(text))
      case .action(let tokens):
        guard case .name(let word)? = tokens.first?.kind else {
          nodes.append(.action(try Self.whole(tokens[...])))
          continue
        }
        switch word {
        case "end", "else": return (nodes, End(word: word, rest: tokens.dropFirst()))
        case "break" where tokens.count == 1, "continue" where tokens.count == 1:
          guard loops > 0 else { throw .parsing("{{\(word)}} outside {{range}}") }
          nodes.append(.leave(turnOnly: word == "continue"))
        case "define", "template", "block": throw .parsing("{{\(word)}} is not supported in specs")
        default:
          if let branch = TemplateNode.Branch(rawValue: word) {
            nodes.append(try self.branch(branch, tokens.dropFirst()))
          } else {
            nodes.append(.action(try Self.whole(tokens[...])))
          }
        }
      }
    }
    return (nodes, nil)
  }

  private mutating func branch(
    _ kind: TemplateNode.Branch, _ tokens: ArraySlice<TemplateToken>
  ) throws(TemplateError) -> TemplateNode {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else { throw .parsing("too many levels of {{\(kind.rawValue)}}") }
    let pipeline = try Self.whole(tokens, isRange: kind == .range)
    loops += kind == .range ? 1 : 0
    let (then, end) = try list()
    loops -= kind == .range ? 1 : 0
    guard let end else { throw .parsing("unexpected EOF") }
    return .branch(kind, pipeline, then: then, otherwise: try otherwise(end))
  }

  private mutating func otherwise(_ end: End) throws(TemplateError) -> [TemplateNode] {
    if end.word == "end" {
      guard end.rest.isEmpty else { throw .parsing("unexpected words after {{end}}") }
      return []
    }
    // `else if` shares the `end` of the whole.
    if case .name("if")? = end.rest.first?.kind { return [try branch(.if, end.rest.dropFirst())] }
    guard end.rest.isEmpty else { throw .parsing("unexpected words after {{else}}") }
    let (nodes, last) = try list()
    guard last?.word == "end" else { throw .parsing(last == nil ? "unexpected EOF" : "expected end; found {{else}}") }
    return nodes
  }

  private static func whole(
    _ tokens: ArraySlice<TemplateToken>, isRange: Bool = false
  ) throws(TemplateError) -> TemplatePipeline {
    var rest = tokens
    let pipeline = try TemplatePipeline(parsing: &rest, isRange: isRange)
    guard rest.isEmpty else { throw .parsing("unexpected right paren") }
    return pipeline
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One action of a template: a value, or a function with its arguments.
struct TemplateCall {
  private let tokens: [TemplateToken]

  init(_ tokens: [TemplateToken]) { self.tokens = tokens }

  func value(_ context: TemplateContext) throws(TemplateError) -> TemplateValue {
    guard case .name(let function)? = tokens.first else {
      guard tokens.count == 1, let token = tokens.first else {
        throw TemplateError("template: expansion: can't give argument to non-function")
      }
      return try Self.value(of: token, context)
    }
    var arguments: [TemplateValue] = []
    for token in tokens.dropFirst() { arguments.append(try Self.value(of: token, context)) }
    switch function {
    case "index": return try Self.index(arguments)
    case "join": return try Self.join(arguments)
    default: throw TemplateError("template: expansion:1: function \"\(function)\" not defined")
    }
  }

  private static func value(of token: TemplateToken, _ context: TemplateContext) throws(TemplateError) -> TemplateValue {
    switch token {
    case .string(let text): return .text(text)
    case .name(let name): throw TemplateError("template: expansion:1: function \"\(name)\" not defined")
    case .field(let path):
      guard let value = context.value(at: path) else {
        throw TemplateError(
          "template: expansion:1: executing \"expansion\" at <.\(path.joined(separator: "."))>: can't evaluate field")
      }
      return value
    }
  }

  /// An absent key gives the empty string, as `index` does in Go even with `missingkey=error`.
  private static func index(_ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    guard arguments.count == 2, case .map(let map) = arguments[0], case .text(let key) = arguments[1] else {
      throw TemplateError("template: expansion:1: executing \"expansion\" at <index>: error calling index: can't index item")
    }
    return .text(map[key] ?? "")
  }

  /// `join separator value…`: swarm's own, which takes the values one by one.
  private static func join(_ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    guard let separator = arguments.first else {
      throw TemplateError(
        "template: expansion:1: executing \"expansion\" at <join>: wrong number of args for join: want at least 1 got 0")
    }
    return .text(arguments.dropFirst().map(\.text).joined(separator: separator.text))
  }
}

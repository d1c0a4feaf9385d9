// SPDX-License-Identifier: Apache-2.0

extension TemplatePipeline {
  private static let deepest = 50

  /// Takes words up to a closing parenthesis, which is left.
  init(parsing tokens: inout ArraySlice<TemplateToken>, isRange: Bool = false, depth: Int = 0) throws(TemplateError) {
    guard depth < Self.deepest else { throw .parsing("too many parentheses") }
    try takeVariables(&tokens, isRange: isRange)
    var command: [TemplateOperand] = []
    while let token = tokens.first, token.kind != .close {
      tokens.removeFirst()
      if token.kind == .pipe {
        guard !command.isEmpty else { throw .parsing("missing value for command") }
        commands.append(command)
        command = []
      } else {
        command.append(try Self.operand(token, &tokens, depth))
      }
    }
    guard !command.isEmpty else { throw .parsing("missing value for command") }
    commands.append(command)
  }

  private mutating func takeVariables(_ tokens: inout ArraySlice<TemplateToken>, isRange: Bool) throws(TemplateError) {
    var names: [String] = []
    var rest = tokens
    while case .variable(let name)? = rest.first?.kind {
      names.append(name)
      rest.removeFirst()
      if rest.first?.kind == .comma { rest.removeFirst() } else { break }
    }
    guard !names.isEmpty, let sign = rest.first?.kind, sign == .declare || sign == .assign else { return }
    guard names.count == 1 || (isRange && names.count == 2) else { throw .parsing("too many declarations in command") }
    variables = names
    isAssignment = sign == .assign
    tokens = rest.dropFirst()
  }

  private static func operand(
    _ token: TemplateToken, _ tokens: inout ArraySlice<TemplateToken>, _ depth: Int
  ) throws(TemplateError) -> TemplateOperand {
    var operand: TemplateOperand
    switch token.kind {
    case .field(let names): return names.isEmpty ? .dot : .fields(of: .dot, names)
    case .variable(let name): operand = .variable(name)
    case .literal(let value): return .literal(value)
    case .name("true"): return .literal(.truth(true))
    case .name("false"): return .literal(.truth(false))
    case .name("nil"): return .literal(.none)
    case .name(let name):
      guard TemplateFunctions.names.contains(name) || PayloadTemplate.functions.contains(name) else {
        throw .parsing("function \"\(name)\" not defined")
      }
      return .function(name)
    case .open:
      operand = .group(try TemplatePipeline(parsing: &tokens, depth: depth + 1))
      guard tokens.popFirst()?.kind == .close else { throw .parsing("unclosed left paren") }
    case .pipe, .close, .declare, .assign, .comma: throw .parsing("unexpected \"\(token.kind.sign ?? "")\" in operand")
    }
    if case .field(let names)? = tokens.first?.kind, tokens.first?.isApart == false, !names.isEmpty {
      tokens.removeFirst()
      operand = .fields(of: operand, names)
    }
    return operand
  }
}

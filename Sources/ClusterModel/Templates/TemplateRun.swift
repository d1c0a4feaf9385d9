// SPDX-License-Identifier: Apache-2.0

/// One expansion of a template.
struct TemplateRun {
  /// Bounds for what anybody may write: a few nested ranges over many labels would not end in a lifetime.
  private static let mostSteps = 100_000
  private static let mostBytes = 1 << 20

  private(set) var output = ""
  private var variables: [(name: String, value: TemplateValue)]
  private var steps = 0
  private enum Way { case turn, loop }
  /// On the way out of the innermost loop, or of its present turn.
  private var leaving: Way?
  private let lookups: PayloadTemplate.Lookups?
  private(set) var hasReadSecret = false

  init(root: TemplateValue, lookups: PayloadTemplate.Lookups? = nil) {
    variables = [("", root)]
    self.lookups = lookups
  }

  mutating func walk(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(TemplateError) {
    for node in nodes {
      steps += 1
      guard steps < Self.mostSteps, output.utf8.count < Self.mostBytes else { throw .executing("<expansion>: too long") }
      switch node {
      case .text(let text): output += text
      case .action(let pipeline):
        let value = try evaluate(pipeline, dot)
        if pipeline.variables.isEmpty { output += value.text }
        try bind(pipeline, [value])
      case .leave(let turnOnly): leaving = turnOnly ? .turn : .loop
      case .branch(let kind, let pipeline, let then, let otherwise):
        let mark = variables.count
        defer { variables.removeLast(variables.count - mark) }
        try branch(kind, pipeline, then, otherwise, dot)
      }
      if leaving != nil { return }
    }
  }

  private mutating func branch(
    _ kind: TemplateNode.Branch, _ pipeline: TemplatePipeline, _ then: [TemplateNode], _ otherwise: [TemplateNode],
    _ dot: TemplateValue
  ) throws(TemplateError) {
    let value = try evaluate(pipeline, dot)
    if kind == .range { return try range(value, pipeline, then, otherwise, dot) }
    try bind(pipeline, [value])
    if value.isTrue { try walk(then, kind == .with ? value : dot) } else { try walk(otherwise, dot) }
  }

  private mutating func range(
    _ value: TemplateValue, _ pipeline: TemplatePipeline, _ then: [TemplateNode], _ otherwise: [TemplateNode],
    _ dot: TemplateValue
  ) throws(TemplateError) {
    guard case .map(let map) = value else { throw .executing("<range>: range can't iterate over \(value.text)") }
    if map.isEmpty { return try walk(otherwise, dot) }
    let mark = variables.count
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      try bind(pipeline, pipeline.variables.count == 2 ? [.text(key), .text(value)] : [.text(value)])
      try walk(then, .text(value))
      variables.removeLast(variables.count - mark)
      defer { leaving = nil }
      if leaving == .loop { return }
    }
  }

  private mutating func bind(_ pipeline: TemplatePipeline, _ values: [TemplateValue]) throws(TemplateError) {
    for (name, value) in zip(pipeline.variables, values) {
      if pipeline.isAssignment {
        guard let index = variables.lastIndex(where: { $0.name == name }) else {
          throw .parsing("undefined variable \"$\(name)\"")
        }
        variables[index].value = value
      } else {
        variables.append((name, value))
      }
    }
  }

  private mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: TemplateValue) throws(TemplateError) -> TemplateValue {
    var value: TemplateValue?
    for command in pipeline.commands { value = try evaluate(command, dot, piped: value) }
    return value ?? .none
  }

  private mutating func evaluate(
    _ command: [TemplateOperand], _ dot: TemplateValue, piped: TemplateValue?
  ) throws(TemplateError) -> TemplateValue {
    steps += 1
    guard case .function(let name)? = command.first else {
      guard command.count == 1, piped == nil, let operand = command.first else {
        throw .executing("<expansion>: can't give argument to non-function")
      }
      if operand == .literal(.none) { throw .executing("<nil>: nil is not a command") }
      return try self.value(operand, dot)
    }
    var arguments: [TemplateValue] = []
    for operand in command.dropFirst() {
      arguments.append(try self.value(operand, dot))
      // The others are not looked at once the answer is known.
      if name == "and", arguments.last?.isTrue == false { break }
      if name == "or", arguments.last?.isTrue == true { break }
    }
    return try call(name, arguments + [piped].compactMap { $0 })
  }

  private mutating func call(_ name: String, _ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    guard PayloadTemplate.functions.contains(name), let lookups else { return try TemplateFunctions.call(name, arguments) }
    let value = try lookups.call(name, arguments)
    if name == "secret" { hasReadSecret = true }
    return value
  }

  private mutating func value(_ operand: TemplateOperand, _ dot: TemplateValue) throws(TemplateError) -> TemplateValue {
    switch operand {
    case .literal(let value): return value
    case .dot: return dot
    case .function(let name): return try call(name, [])
    case .group(let pipeline): return try evaluate(pipeline, dot)
    case .variable(let name):
      guard let found = variables.last(where: { $0.name == name }) else { throw .parsing("undefined variable \"$\(name)\"") }
      return found.value
    case .fields(let base, let names):
      var value = try self.value(base, dot)
      for name in names { value = try value.field(name) }
      return value
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A part of a parsed template.
indirect enum TemplateNode: Sendable, Hashable {
  case text(String)
  case action(TemplatePipeline)
  /// Leaves the innermost `range`, or its present turn.
  case leave(turnOnly: Bool)
  case branch(Branch, TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])

  enum Branch: String, Sendable { case `if`, with, range }
}

/// Commands, each given the value of the one before as its last argument.
struct TemplatePipeline: Sendable, Hashable {
  /// Names that take the value: one, or with `range` the key's and the value's.
  var variables: [String] = []
  /// They are set anew rather than made.
  var isAssignment = false
  var commands: [[TemplateOperand]] = []
}

indirect enum TemplateOperand: Sendable, Hashable {
  case literal(TemplateValue)
  case function(String)
  case dot
  case variable(String)
  case group(TemplatePipeline)
  case fields(of: TemplateOperand, [String])
}

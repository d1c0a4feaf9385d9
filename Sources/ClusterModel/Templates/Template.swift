// SPDX-License-Identifier: Apache-2.0

/// Go's text/template, in which parts of specs are written: fields, pipelines, variables, `if`, `with`, `range`, and functions.
///
/// `define`, `template` and `block` are refused, at the API and on the node alike.
package struct Template: Sendable, Hashable {
  private let nodes: [TemplateNode]

  /// Parses without expanding. Text without `{{` always parses.
  package init(parsing text: String) throws(TemplateError) { nodes = try TemplateParser.parse(text) }

  package func expand(_ context: TemplateContext) throws(TemplateError) -> String {
    let root = context.root
    var run = TemplateRun(root: root)
    try run.walk(nodes, root)
    return run.output
  }

  /// Parses and expands in one step.
  package static func expand(_ text: String, _ context: TemplateContext) throws(TemplateError) -> String {
    guard text.contains("{{") else { return text }
    return try Template(parsing: text).expand(context)
  }
}

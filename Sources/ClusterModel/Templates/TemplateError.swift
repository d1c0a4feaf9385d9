// SPDX-License-Identifier: Apache-2.0

/// Why a template of a spec cannot be expanded, in the form Go's text/template has.
package struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  package var message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }

  static func parsing(_ text: String) -> TemplateError { TemplateError("template: expansion:1: \(text)") }

  static func executing(_ text: String) -> TemplateError {
    TemplateError("template: expansion:1: executing \"expansion\" at \(text)")
  }

  /// The same with what was being done in front.
  func during(_ what: String) -> TemplateError { TemplateError("\(what): \(message)") }
}

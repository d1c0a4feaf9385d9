// SPDX-License-Identifier: Apache-2.0

/// Why a template of a spec cannot be expanded, in the form Go's text/template has.
package struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  package var message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}

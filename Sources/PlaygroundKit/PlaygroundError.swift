// SPDX-License-Identifier: Apache-2.0

/// Why the playground couldn't do what was asked, in words for whoever asked.
package struct PlaygroundError: Error, Equatable, CustomStringConvertible {
  package enum Code: String, Sendable {
    case notRoot, missingTool, noSpace, badDirectory, badRequest, notUp, unknownHost, commandFailed, notReady
  }

  package var code: Code
  package var message: String
  /// What the failing program or daemon said, shortened to its last lines.
  package var cause: String?

  package init(_ code: Code, _ message: String, cause: String? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String {
    guard let cause, !cause.isEmpty else { return message }
    return "\(message):\n\(cause)"
  }
}

/// The last `count` lines of a log or of a program's output.
func tail(_ text: String, lines count: Int = 8) -> String {
  text.split(separator: "\n").suffix(count).joined(separator: "\n")
}

// SPDX-License-Identifier: Apache-2.0

/// A program to run, as a value: plans are made of these, and compared whole in tests.
package struct Command: Sendable, Hashable, CustomStringConvertible {
  package var executable: String
  package var arguments: [String]
  /// Changes to the inherited environment; nil removes a variable.
  package var environment: [String: String?]

  package init(_ executable: String, _ arguments: [String], environment: [String: String?] = [:]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  package var description: String { ([executable] + arguments).joined(separator: " ") }
}

/// How a program ended and what it wrote.
package struct CommandResult: Sendable, Equatable {
  /// The exit code, or 128 plus the signal's number as shells have it.
  package var status: Int32
  package var stdout: String
  package var stderr: String

  package init(status: Int32, stdout: String = "", stderr: String = "") {
    self.status = status
    self.stdout = stdout
    self.stderr = stderr
  }

  package var succeeded: Bool { status == 0 }
  /// Standard output without the white space around it.
  package var text: String { stdout.trimmed }
  /// The non-empty lines of standard output.
  package var lines: [String] { stdout.split(separator: "\n").map(String.init) }
}

extension StringProtocol {
  var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(self[first...last])
  }
}

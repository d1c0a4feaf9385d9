// SPDX-License-Identifier: Apache-2.0

/// A message that is not HTTP as we accept it. `status` is what a server answers to such a request.
package struct HTTPSyntaxError: Error, Hashable, CustomStringConvertible {
  package var status: Int
  package var message: String
  /// The peer ended the connection inside a message.
  package var isTruncation = false

  package init(status: Int = 400, _ message: String) {
    self.status = status
    self.message = message
  }

  static func truncated(_ message: String) -> HTTPSyntaxError {
    var error = HTTPSyntaxError(message)
    error.isTruncation = true
    return error
  }

  package var description: String { message }
}

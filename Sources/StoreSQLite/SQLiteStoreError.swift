// SPDX-License-Identifier: Apache-2.0

/// Why the durable store of a single manager cannot serve.
package struct SQLiteStoreError: Error, CustomStringConvertible {
  package enum Code: Sendable, Hashable { case missing, exists, unreadable, writeFailed, conflict }

  package var code: Code
  package var message: String
  package var cause: (any Error)?

  package init(code: Code, message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String { message }

  /// Never a reason to begin anew in silence: what to do is the operator's choice.
  static func unreadable(path: String, cause: any Error) -> SQLiteStoreError {
    SQLiteStoreError(
      code: .unreadable,
      message: """
        the cluster database \(path) is damaged or unreadable (\(cause)). Nothing was changed. Either stop skepd and put \
        a backup in its place, or what "sqlite3 \(path) .recover" makes of it; or give the swarm up with "docker swarm leave --force", \
        which removes its containers and its state
        """,
      cause: cause)
  }
}

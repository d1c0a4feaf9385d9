// SPDX-License-Identifier: Apache-2.0

import GRDB

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

  /// Nothing of the write was done.
  static func writeFailed(path: String, cause: any Error) -> SQLiteStoreError {
    let known = cause as? DatabaseError
    let remedy = known?.resultCode == .SQLITE_FULL ? ". Free space on its file system; no restart is needed" : ""
    return SQLiteStoreError(
      code: .writeFailed, message: "the cluster database \(path) cannot be written: \(known?.message ?? "\(cause)")\(remedy)",
      cause: cause)
  }

  /// Never a reason to begin anew in silence: what to do is the operator's choice.
  static func unreadable(path: String, cause: any Error) -> SQLiteStoreError {
    SQLiteStoreError(
      code: .unreadable,
      message: """
        the cluster database \(path) is damaged or unreadable (\(cause)). Nothing was changed. Stop skepd, put \
        a backup in its place and start skepd again; or give the cluster up with "docker swarm leave --force", which removes its \
        containers and its state
        """,
      cause: cause)
  }
}

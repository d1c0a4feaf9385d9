// SPDX-License-Identifier: Apache-2.0

import EngineClient

// A file of its own: the managers' protocol has a LogOptions too, and the module's name is hidden by a type of that name.
extension Engine {
  /// `since` may be empty, `tail` may be `all`.
  func taskLogs(
    _ container: Inspected<Container>, stdout: Bool, stderr: Bool, follow: Bool, timestamps: Bool, details: Bool, since: String,
    tail: String
  ) async throws -> any AsyncSequence<LogFrame, any Error> & Sendable {
    var options = LogOptions()
    options.stdout = stdout
    options.stderr = stderr
    options.follow = follow
    options.timestamps = timestamps
    options.details = details
    options.since = since.isEmpty ? nil : since
    options.tail = Int(tail)
    options.isTerminal = container.config.tty
    return try await logs(container.id, options)
  }
}

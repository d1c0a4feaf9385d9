// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// What part of a task's log is wanted, in the words of `docker logs`.
package struct LogOptions: Codable, Sendable, Hashable {
  package var stdout: Bool
  package var stderr: Bool
  package var follow: Bool
  /// Unix seconds with an optional fraction, as the client sent it; empty for all.
  package var since: String
  /// Lines per task, or `all`.
  package var tail: String
  package var timestamps: Bool
  package var details: Bool

  package init(
    stdout: Bool, stderr: Bool, follow: Bool = false, since: String = "", tail: String = "all", timestamps: Bool = false,
    details: Bool = false
  ) {
    self.stdout = stdout
    self.stderr = stderr
    self.follow = follow
    self.since = since
    self.tail = tail
    self.timestamps = timestamps
    self.details = details
  }
}

/// One line of a task's log.
package struct LogLine: Sendable, Hashable {
  package enum Stream: UInt8, Sendable { case stdout = 1, stderr = 2, system = 3 }

  package var taskID: String
  package var stream: Stream
  /// The text with its line end, as the engine gave it, timestamp in front if asked for.
  package var bytes: [UInt8]

  package init(taskID: String, stream: Stream, bytes: [UInt8]) {
    self.taskID = taskID
    self.stream = stream
    self.bytes = bytes
  }
}

/// Whose log is wanted.
package struct LoggedTask: Codable, Sendable, Hashable {
  package var id: String
  /// Of its container.
  package var name: String

  package init(_ task: ClusterTask) {
    id = task.id
    name = task.name
  }
}

/// A node that can be asked for the logs of its tasks.
package protocol TaskLogSource: Sendable {
  /// Lines of one task in order; back-pressure reaches the engine. Ends at the log's end, or with the container when following.
  /// A task whose container is gone has no lines.
  func logs(of task: LoggedTask, options: LogOptions) async throws -> AsyncThrowingStream<LogLine, any Error>
}

/// Why nothing more can come from a node, in swarm's words.
package struct LogSourceLost: Error, Hashable, CustomStringConvertible {
  package var description: String

  /// It cannot be asked now.
  package static func unavailable(_ node: String) -> LogSourceLost { .init(description: "node \(node) is not available") }
  /// While it was sending.
  package static func disconnected(_ node: String) -> LogSourceLost {
    .init(description: "node \(node) disconnected unexpectedly")
  }
}

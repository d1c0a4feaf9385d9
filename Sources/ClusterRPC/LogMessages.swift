// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// How a manager asks a node for logs, and what it is given.
extension NodeMessage {
  /// The log of one task is wanted; it is to be published under the id.
  package struct LogRequest: Codable, Sendable, Hashable {
    package var id: String
    package var task: LoggedTask
    package var options: LogOptions

    package init(id: String, task: LoggedTask, options: LogOptions) {
      self.id = id
      self.task = task
      self.options = options
    }
  }

  /// The next lines of a log, each batch sent when the one before has been taken.
  package struct LogBatch: Codable, Sendable, Hashable {
    package struct Line: Codable, Sendable, Hashable {
      package var stream: Int
      package var bytes: Sealed
    }

    package var lines: [Line]
    /// Nothing follows.
    package var isLast: Bool
    /// Why the log cannot be read any further.
    package var failure: String?

    package init(_ lines: [LogLine], isLast: Bool = false, failure: String? = nil) {
      self.lines = lines.map { Line(stream: Int($0.stream.rawValue), bytes: Sealed(bytes: $0.bytes)) }
      self.isLast = isLast
      self.failure = failure
    }

    package func lines(of task: String) -> [LogLine] {
      lines.map { line in
        let stream = UInt8(exactly: line.stream).flatMap(LogLine.Stream.init) ?? .system
        return LogLine(taskID: task, stream: stream, bytes: line.bytes.bytes)
      }
    }
  }
}

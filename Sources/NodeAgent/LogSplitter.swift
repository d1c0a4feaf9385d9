// SPDX-License-Identifier: Apache-2.0

package import ClusterRPC

/// Puts the pieces of a log together into lines, each stream apart: the engine cuts long lines, and a terminal knows none.
package struct LogSplitter: Sendable {
  /// A longer line is passed on in pieces.
  static let limit = 256 * 1_024

  private let taskID: String
  private let prefixWords: Int
  private var partial: [LogLine.Stream: [UInt8]] = [:]
  private var lines: [LogLine] = []
  private var taken = 0

  /// Every piece begins with so many words (timestamp, attributes) that belong to the line, not to its text.
  package init(taskID: String, prefixWords: Int = 0) {
    self.taskID = taskID
    self.prefixWords = prefixWords
  }

  package mutating func append(_ stream: LogLine.Stream, _ bytes: [UInt8]) {
    var pending = partial.removeValue(forKey: stream) ?? []
    var piece = bytes[...]
    if !pending.isEmpty {
      for _ in 0..<prefixWords { piece = piece.drop { $0 != UInt8(ascii: " ") }.dropFirst() }
    }
    for byte in piece {
      pending.append(byte)
      guard byte == UInt8(ascii: "\n") || pending.count >= Self.limit else { continue }
      lines.append(LogLine(taskID: taskID, stream: stream, bytes: pending))
      pending = []
    }
    if !pending.isEmpty { partial[stream] = pending }
  }

  /// The log is over: what has no line end is a line too.
  package mutating func finish() {
    for (stream, bytes) in partial.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      lines.append(LogLine(taskID: taskID, stream: stream, bytes: bytes))
    }
    partial = [:]
  }

  package mutating func next() -> LogLine? {
    guard taken < lines.count else {
      lines = []
      taken = 0
      return nil
    }
    defer { taken += 1 }
    return lines[taken]
  }
}

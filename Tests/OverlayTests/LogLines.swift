// SPDX-License-Identifier: Apache-2.0

import Logging

/// Keeps what is logged, as level and message.
struct LogLines: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  let lines: AsyncStream<String>
  private let line: AsyncStream<String>.Continuation

  init() { (lines, line) = AsyncStream.makeStream() }

  var logger: Logger { Logger(label: "test") { _ in self } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { line.yield("\(event.level): \(event.message)") }

  /// Nothing more comes.
  func end() { line.finish() }
}

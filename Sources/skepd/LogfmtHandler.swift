// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import Logging

/// Structured logs on standard error, one `key=value` line each, in the form dockerd's own logs have. The journal keeps time and
/// priority itself.
struct LogfmtHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let isForJournal: Bool

  init(level: Logger.Level, isForJournal: Bool) {
    logLevel = level
    self.isForJournal = isForJournal
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(prefix(event.level))level=\(event.level) msg=\(Self.quoted("\(event.message)"))"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted("\(value)"))" }
    line += "\n"
    // One write per line, so that lines of several threads never mix.
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  }

  func prefix(_ level: Logger.Level) -> String {
    isForJournal ? "<\(level.priority)>" : "time=\(SystemClock.now().wall) "
  }

  static func quoted(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    return isPlain ? text : JSONValue.string(text).text
  }
}

extension Logger.Level {
  /// As in `syslog(3)`.
  fileprivate var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

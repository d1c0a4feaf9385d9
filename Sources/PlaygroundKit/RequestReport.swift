// SPDX-License-Identifier: Apache-2.0

/// What became of a number of HTTP requests.
package struct RequestReport: Sendable, Equatable {
  /// How often each body came, by its first line; the web image's is its host name. Only answers with status 200.
  package var answers: [String: Int] = [:]
  /// How often requests failed, by curl's message or by the HTTP status.
  package var failures: [String: Int] = [:]

  package var succeeded: Int { answers.values.reduce(0, +) }
  package var failed: Int { failures.values.reduce(0, +) }

  package init() {}

  package mutating func add(_ other: RequestReport) {
    answers.merge(other.answers, uniquingKeysWith: +)
    failures.merge(other.failures, uniquingKeysWith: +)
  }

  /// Reads what curl wrote: for each request its body, then a line of `mark`, status, exit code and message. With several
  /// requests at a time bodies and marks of different requests come in any order, so only their numbers can be told.
  init(curl text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
      guard line.hasPrefix(Self.mark) else {
        answers[String(line), default: 0] += 1
        continue
      }
      let fields = line.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 2)
      if fields.prefix(2) == ["200", "0"] { continue }
      let message = fields.count > 2 ? String(fields[2]) : "status \(fields.first ?? "")"
      failures[message, default: 0] += 1
    }
  }

  static let mark = "\u{1}"
  static let format = #"\n\#(mark)%{http_code} %{exitcode} %{errormsg}\n"#
}

extension Client {
  /// Sends GET requests, `parallel` at a time, and waits for all. A failed request is counted, never repeated.
  /// - Parameters:
  ///   - url: May not hold `[`, `]`, `{` or `}`: curl takes those as patterns.
  ///   - keepAlive: False gives each request a connection of its own.
  package func requests(_ url: String, count: Int, parallel: Int = 8, keepAlive: Bool = false) async throws -> RequestReport {
    let result = try await exec(
      ["curl", "--silent", "--parallel", "--parallel-immediate", "--parallel-max", "\(parallel)", "--max-time", "30", "--fail"]
        + (keepAlive ? [] : ["--header", "Connection: close"])
        + ["--write-out", RequestReport.format, "\(url)\(url.contains("?") ? "&" : "?")request=[1-\(count)]"])
    let report = RequestReport(curl: result.stdout)
    guard report.succeeded + report.failed == count else {
      throw PlaygroundError(
        .commandFailed, "curl told of \(report.succeeded + report.failed) requests out of \(count)", cause: tail(result.stderr))
    }
    return report
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What became of a number of HTTP requests.
package struct RequestReport: Sendable, Equatable {
  /// How often each body came, by its first line; the web image's is its host name. Only answers with status 200.
  package var answers: [String: Int] = [:]
  /// How often requests failed, by what happened and when: `refused at connect`, `reset before an answer`, `closed within an answer`,
  /// `status 503`.
  package var failures: [String: Int] = [:]
  /// How many connections were tried for them.
  package var connections = 0

  package var succeeded: Int { answers.values.reduce(0, +) }
  package var failed: Int { failures.values.reduce(0, +) }

  package init() {}

  package mutating func add(_ other: RequestReport) {
    answers.merge(other.answers, uniquingKeysWith: +)
    failures.merge(other.failures, uniquingKeysWith: +)
    connections += other.connections
  }

  /// Reads what `load.c` writes; `nil` when it is something else.
  init?(load text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count > 1, let count = Int(words[1]) else { return nil }
      switch words[0] {
      case "answer": answers[words.count > 2 ? words[2] : "", default: 0] += count
      case "failure": failures[words.count > 2 ? words[2] : "", default: 0] += count
      case "connections": connections += count
      default: return nil
      }
    }
  }
}

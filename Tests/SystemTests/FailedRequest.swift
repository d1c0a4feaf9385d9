// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the client says of a request: `1.456 s: timed out, after 5.001 s`. Seconds of the monotonic clock.
struct FailedRequest: Equatable {
  let began: Double
  let took: Double
  let reason: String

  /// By the clock that the clients use.
  static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  /// Those of a client whose first line says when it began, without requests that were only slow.
  static func all(in lines: [String]) throws -> [FailedRequest] {
    let begin = try #require(lines.first?.split(separator: " ").last.flatMap { Double($0) }, "\(lines)")
    return lines.compactMap { line in
      guard let found = line.wholeMatch(of: /([\d.]+) s: (?!slow)(.*), after ([\d.]+) s/) else { return nil }
      guard let after = Double(found.1), let took = Double(found.3) else { return nil }
      return FailedRequest(began: begin + after, took: took, reason: String(found.2))
    }
  }
}

extension Cluster {
  /// A command of `Fixtures/clients.py`, run outside; what it says.
  func clientLines(_ arguments: [String]) async throws -> [String] {
    let program = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/clients.py").path
    let result = try await fixture.client.exec(["python3", program] + arguments)
    return result.lines.isEmpty ? [result.stderr] : result.lines
  }
}

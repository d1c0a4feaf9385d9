// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import EngineClient
import Foundation

extension FakeEngine {
  /// Readers of the raw event stream that are still there.
  package var lineReaderCount: Int { lineReaders.count }

  /// Something happened, at this time in nanoseconds.
  package func tell(_ event: String, at time: Int64) {
    let line = Self.line(event, at: time)
    eventLines.append((time, line))
    for reader in lineReaders.values { reader.yield(line) }
  }

  package static func line(_ event: String, at time: Int64) -> [UInt8] {
    Array(#"{"Type":"container","Action":"\#(event)","scope":"local","timeNano":\#(time)}"#.utf8)
  }

  /// Ends the streams of those who follow, as their `until` does.
  package func endEvents() {
    for reader in lineReaders.values { reader.finish() }
    lineReaders = [:]
  }

  /// Filters are looked at and not applied; whoever asks with `until` gets the past alone.
  package func eventLines(query: String) async throws -> EngineEventLines {
    try await asked()
    eventQueries.append(query)
    let items = Self.items(of: query)
    let (since, until) = (try Self.nanoseconds(items["since"]), try Self.nanoseconds(items["until"]))
    if let since, let until, until < since {
      throw EngineError(.badRequest, status: 400, "`since` time cannot be after `until` time")
    }
    if let filters = items["filters"], (try? JSONValue(parsing: filters))?.objectValue == nil {
      throw EngineError(.badRequest, status: 400, "the fake engine refuses these filters")
    }
    let hasPast = since != nil || until != nil
    let past = eventLines.filter { hasPast && $0.time >= since ?? .min && $0.time <= until ?? .max }
    return EngineEventLines(contentType: "application/json", lines: reader(past.map(\.line), isEnding: until != nil))
  }

  private func reader(_ past: [[UInt8]], isEnding: Bool) -> AsyncThrowingStream<[UInt8], any Error> {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self, throwing: (any Error).self)
    for line in past { continuation.yield(line) }
    if isEnding {
      continuation.finish()
      return stream
    }
    let number = nextNumber
    nextNumber += 1
    lineReaders[number] = continuation
    continuation.onTermination = { _ in Task { await self.forget(reader: number) } }
    return stream
  }

  private func forget(reader number: Int) { lineReaders[number] = nil }

  private static func items(of query: String) -> [String: String] {
    let pairs = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
    return Dictionary(pairs.map { ($0[0], ($0.count > 1 ? $0[1] : "").removingPercentEncoding ?? "") }) { $1 }
  }

  private static func nanoseconds(_ text: String?) throws -> Int64? {
    guard let text else { return nil }
    let parts = text.split(separator: ".", maxSplits: 1)
    guard let seconds = parts.first.flatMap({ Int64($0) }),
      let fraction = Int64((parts.dropFirst().first ?? "").prefix(9).padding(toLength: 9, withPad: "0", startingAt: 0))
    else { throw EngineError(.serverError, status: 500, "strconv.ParseInt: parsing \"\(text)\": invalid syntax") }
    return seconds * 1_000_000_000 + fraction
  }
}

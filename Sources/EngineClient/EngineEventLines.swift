// SPDX-License-Identifier: Apache-2.0

/// The engine's answer to `GET /events` in its own words, for whoever passes it on.
package struct EngineEventLines: Sendable {
  package var contentType: String
  /// What the engine writes, without the line feeds. To be iterated once; ends or fails with the engine.
  package var lines: any AsyncSequence<[UInt8], any Error> & Sendable

  package init(contentType: String, lines: any AsyncSequence<[UInt8], any Error> & Sendable) {
    self.contentType = contentType
    self.lines = lines
  }
}

/// The lines of an answer as they come.
struct RawLines: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  let stream: EngineStream

  struct AsyncIterator: AsyncIteratorProtocol {
    var bytes: EngineStream.AsyncIterator
    var splitter = LineSplitter(limit: JSONLineSplitter.limit)
    var isOver = false

    mutating func next() async throws -> [UInt8]? {
      while true {
        if let line = try splitter.next(atEnd: isOver) {
          if LineSplitter.isBlank(line) { continue }
          return line
        }
        if isOver { return nil }
        if let part = try await bytes.next() { splitter.append(part) } else { isOver = true }
      }
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: stream.makeAsyncIterator()) }
}

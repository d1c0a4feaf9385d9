// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import NIOCore

/// Cuts a stream into lines, however its bytes were split on the way.
struct LineSplitter: Sendable {
  private var pending = ByteBuffer()
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func append(_ bytes: ByteBuffer) { pending.writeImmutableBuffer(bytes) }

  /// The next line, without its line feed; nil when more bytes are needed. At the end of the stream a last one may lack it.
  mutating func next(atEnd: Bool) throws -> [UInt8]? {
    if let feed = pending.readableBytesView.firstIndex(of: 0x0a) {
      let line = pending.readBytes(length: feed - pending.readerIndex)
      pending.moveReaderIndex(forwardBy: 1)
      pending.discardReadBytes()
      return line
    }
    guard pending.readableBytes <= limit else { throw EngineError(.tooLarge, "the engine sent a line that is too long") }
    guard atEnd, pending.readableBytes > 0 else { return nil }
    return pending.readBytes(length: pending.readableBytes)
  }

  static func isBlank(_ line: [UInt8]) -> Bool { line.allSatisfy { $0 == 0x20 || $0 == 0x0d } }
}

/// Cuts a stream of JSON values, one a line, as the engine sends progress and events.
package struct JSONLineSplitter: Sendable {
  /// A longer line is an error: nothing the engine sends comes near.
  package static let limit = 4 * 1_024 * 1_024
  private var lines: LineSplitter

  package init(limit: Int = JSONLineSplitter.limit) { lines = LineSplitter(limit: limit) }

  package mutating func append(_ bytes: ByteBuffer) { lines.append(bytes) }

  /// The next complete value; nil when more bytes are needed. At the end of the stream a last line may lack its line feed.
  package mutating func next(atEnd: Bool = false) throws -> JSONValue? {
    while let line = try lines.next(atEnd: atEnd) {
      if LineSplitter.isBlank(line) { continue }
      do {
        return try JSONValue(parsing: line)
      } catch {
        throw EngineError(.malformed, "the engine sent a line that is not JSON: \(error.message)", cause: error)
      }
    }
    return nil
  }
}

/// The values of a stream of JSON lines.
struct JSONLines: AsyncSequence, Sendable {
  typealias Element = JSONValue
  let stream: EngineStream

  struct AsyncIterator: AsyncIteratorProtocol {
    var bytes: EngineStream.AsyncIterator
    var splitter = JSONLineSplitter()
    var isOver = false

    mutating func next() async throws -> JSONValue? {
      while !isOver {
        if let value = try splitter.next() { return value }
        if let part = try await bytes.next() { splitter.append(part) } else { isOver = true }
      }
      return try splitter.next(atEnd: true)
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: stream.makeAsyncIterator()) }
}

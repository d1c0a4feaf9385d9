// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One piece of a container's output; without a terminal, one line of it.
package struct LogFrame: Sendable, Hashable {
  package enum Source: UInt8, Sendable {
    case input = 0
    case output = 1
    case error = 2
    /// The engine's own complaint, in band.
    case system = 3
  }

  package var source: Source
  package var bytes: ByteBuffer

  package init(source: Source, bytes: ByteBuffer) {
    self.source = source
    self.bytes = bytes
  }
}

/// Takes frames apart: `[source, 0, 0, 0, length as 32 bits big-endian]`, then the payload.
package struct LogDemuxer: Sendable {
  private var pending = ByteBuffer()
  /// A longer frame is an error; the engine cuts lines at 16 KiB.
  private let limit: Int

  package init(limit: Int = 4 * 1_024 * 1_024) { self.limit = limit }

  package mutating func append(_ bytes: ByteBuffer) {
    pending.discardReadBytes()
    pending.writeImmutableBuffer(bytes)
  }

  /// The next whole frame; nil when more bytes are needed.
  package mutating func next() throws -> LogFrame? {
    guard let kind = pending.getInteger(at: pending.readerIndex, as: UInt8.self),
      let length = pending.getInteger(at: pending.readerIndex + 4, as: UInt32.self)
    else { return nil }
    guard let source = LogFrame.Source(rawValue: kind) else {
      throw EngineError(.malformed, "the engine's log has a frame of unknown kind \(kind)")
    }
    guard length <= limit else { throw EngineError(.tooLarge, "the engine's log has a frame of \(length) bytes") }
    guard pending.readableBytes >= 8 + Int(length) else { return nil }
    pending.moveReaderIndex(forwardBy: 8)
    return pending.readSlice(length: Int(length)).map { LogFrame(source: source, bytes: $0) }
  }

  /// Whether the stream may end here.
  package var isBetweenFrames: Bool { pending.readableBytes == 0 }
}

/// The frames of a log. With a terminal there are none, and everything is output.
struct LogFrames: AsyncSequence, Sendable {
  typealias Element = LogFrame
  let stream: EngineStream
  let isTerminal: Bool

  struct AsyncIterator: AsyncIteratorProtocol {
    var bytes: EngineStream.AsyncIterator
    let isTerminal: Bool
    var demuxer = LogDemuxer()

    mutating func next() async throws -> LogFrame? {
      if isTerminal { return try await bytes.next().map { LogFrame(source: .output, bytes: $0) } }
      while true {
        if let frame = try demuxer.next() { return frame }
        guard let part = try await bytes.next() else { break }
        demuxer.append(part)
      }
      guard demuxer.isBetweenFrames else { throw EngineError(.connectionLost, "the engine's log ended inside a frame") }
      return nil
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: stream.makeAsyncIterator(), isTerminal: isTerminal) }
}

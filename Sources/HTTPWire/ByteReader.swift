// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Reads heads and bodies off a connection, and keeps the bytes behind them for whoever reads next.
package struct ByteReader: Sendable {
  private let channel: ByteChannel
  private var buffer = ByteBuffer()

  package init(_ channel: ByteChannel) { self.channel = channel }

  /// The bytes of the next head; nil when the peer ended cleanly before its first byte. `started` is called when it has begun and has
  /// to be waited for.
  package mutating func head(limit: Int, started: () -> Void = {}) async throws -> [UInt8]? {
    var scanned = 0
    while true {
      if scanned == 0 { dropEmptyLines() }
      if let end = HeadParser.end(in: buffer.readableBytesView, from: scanned) {
        guard end <= limit else { throw Self.tooLong }
        return buffer.readBytes(length: end)
      }
      if buffer.readableBytes > 0, scanned == 0 { started() }
      scanned = buffer.readableBytes
      guard scanned < limit else { throw Self.tooLong }
      guard try await fill() else {
        if scanned == 0 { return nil }
        throw HTTPSyntaxError.truncated("unexpected end of the header")
      }
    }
  }

  /// The next part of the body that `decoder` follows; nil at its end.
  package mutating func next(_ decoder: inout BodyDecoder) async throws -> ByteBuffer? {
    while true {
      switch try decoder.next(from: &buffer) {
      case .data(let part): return part
      case .end: return nil
      case .needsMore:
        if try await fill() { continue }
        if decoder.mayEndWithConnection { return nil }
        throw HTTPSyntaxError.truncated("unexpected end of the body")
      }
    }
  }

  /// A whole body of at most `limit` bytes; more is refused with 413. `took` is called with the size of each part, before it is kept.
  package mutating func body(
    _ decoder: inout BodyDecoder, limit: Int, took: (Int) throws -> Void = { _ in }
  ) async throws -> [UInt8] {
    let tooLarge = HTTPSyntaxError(status: 413, "body larger than \(limit) bytes")
    if let announced = decoder.announcedLength, announced > limit { throw tooLarge }
    var body: [UInt8] = []
    while let part = try await next(&decoder) {
      guard body.count + part.readableBytes <= limit else { throw tooLarge }
      try took(part.readableBytes)
      body.append(contentsOf: part.readableBytesView)
    }
    return body
  }

  /// Bytes that arrived behind what was read; they belong to whoever takes the connection over.
  package mutating func takeRest() -> ByteBuffer? {
    defer { buffer = ByteBuffer() }
    return buffer.readableBytes > 0 ? buffer : nil
  }

  private static let tooLong = HTTPSyntaxError(status: 431, "request header too large")

  private mutating func fill() async throws -> Bool {
    guard var bytes = try await channel.read() else { return false }
    if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeBuffer(&bytes) }
    return true
  }

  /// Some clients end a body with an extra empty line (RFC 9112, 2.2).
  private mutating func dropEmptyLines() {
    while let byte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self), byte == 0x0d || byte == 0x0a {
      buffer.moveReaderIndex(forwardBy: 1)
    }
  }
}

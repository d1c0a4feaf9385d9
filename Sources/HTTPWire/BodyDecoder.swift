// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// Takes a message body out of the bytes of a connection: how it is framed is decided by the head.
package struct BodyDecoder: Sendable {
  package enum Step: Equatable {
    case data(ByteBuffer)
    case needsMore
    case end
  }

  private enum State: Equatable {
    case length(Int)
    case untilClose
    case chunkSize
    case chunk(Int)
    case chunkEnd
    case trailers
    case done
  }

  private var state: State
  private var trailerBytes = 0

  /// The longest chunk-size line (extensions included) and the most bytes of trailers.
  private static let lineLimit = 8_192

  /// A request without length has no body.
  package init(request head: RequestHead) throws(HTTPSyntaxError) {
    state = try Self.framing(head.headers, minorVersion: head.minorVersion) ?? .done
  }

  /// A response without length lasts as long as the connection. Answers to HEAD and the statuses without a body have none.
  package init(response head: ResponseHead, to method: String) throws(HTTPSyntaxError) {
    let bodiless = method == "HEAD" || head.status / 100 == 1 || head.status == 204 || head.status == 304
    state = bodiless ? .done : try Self.framing(head.headers, minorVersion: head.minorVersion) ?? .untilClose
  }

  /// Whether the end of the connection is the end of this body rather than a loss.
  package var mayEndWithConnection: Bool { state == .untilClose || state == .done }

  /// The announced length, where there is one.
  package var announcedLength: Int? { if case .length(let length) = state { length } else { nil } }

  package var isDone: Bool { state == .done }

  /// The next part of the body. What follows the body stays in `input`.
  package mutating func next(from input: inout ByteBuffer) throws(HTTPSyntaxError) -> Step {
    while true {
      switch state {
      case .done: return .end
      case .untilClose: return input.readableBytes > 0 ? take(input.readableBytes, from: &input) : .needsMore
      case .length(let left):
        guard input.readableBytes > 0 else { return .needsMore }
        let count = min(left, input.readableBytes)
        state = left == count ? .done : .length(left - count)
        return take(count, from: &input)
      case .chunk(let left):
        guard input.readableBytes > 0 else { return .needsMore }
        let count = min(left, input.readableBytes)
        state = left == count ? .chunkEnd : .chunk(left - count)
        return take(count, from: &input)
      case .chunkSize, .chunkEnd, .trailers:
        guard let line = try Self.line(from: &input) else { return .needsMore }
        try consume(line)
      }
    }
  }

  private func take(_ count: Int, from input: inout ByteBuffer) -> Step {
    input.readSlice(length: count).map(Step.data) ?? .needsMore
  }

  private mutating func consume(_ line: String) throws(HTTPSyntaxError) {
    switch state {
    case .chunkSize:
      let size = try Self.size(line)
      state = size == 0 ? .trailers : .chunk(size)
    case .chunkEnd:
      guard line.isEmpty else { throw HTTPSyntaxError("malformed chunked encoding") }
      state = .chunkSize
    case .trailers:
      trailerBytes += line.utf8.count
      guard trailerBytes <= Self.lineLimit else { throw HTTPSyntaxError("trailers too long") }
      if line.isEmpty { state = .done }
    case .length, .untilClose, .chunk, .done: break
    }
  }

  /// Hexadecimal digits, then perhaps `;extension`, which we ignore.
  private static func size(_ line: String) throws(HTTPSyntaxError) -> Int {
    let digits = line.prefix { $0 != ";" }.trimmingSpaces
    guard !digits.isEmpty, digits.utf8.count <= 15, digits.allSatisfy(\.isHexDigit), let size = Int(digits, radix: 16) else {
      throw HTTPSyntaxError("malformed chunked encoding")
    }
    return size
  }

  private static func line(from input: inout ByteBuffer) throws(HTTPSyntaxError) -> String? {
    let view = input.readableBytesView
    guard let feed = view.prefix(lineLimit).firstIndex(of: UInt8(ascii: "\n")) else {
      guard view.count < lineLimit else { throw HTTPSyntaxError("malformed chunked encoding") }
      return nil
    }
    var text = view[view.startIndex..<feed]
    if text.last == UInt8(ascii: "\r") { text.removeLast() }
    let line = String(decoding: text, as: UTF8.self)
    input.moveReaderIndex(forwardBy: feed - view.startIndex + 1)
    return line
  }

  private static func framing(_ headers: HTTPHeaders, minorVersion: Int) throws(HTTPSyntaxError) -> State? {
    let lengths = Set(headers.values(of: "Content-Length"))
    let encodings = headers.values(of: "Transfer-Encoding")
    if !encodings.isEmpty {
      // Both together is how requests are smuggled past a front (RFC 9112, 6.1).
      guard lengths.isEmpty, minorVersion == 1 else { throw HTTPSyntaxError("ambiguous message length") }
      guard encodings.count == 1, HTTPHeaders.equal(encodings[0], "chunked") else {
        throw HTTPSyntaxError(status: 501, "unsupported transfer encoding")
      }
      return .chunkSize
    }
    guard let text = lengths.first else { return nil }
    guard lengths.count == 1, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let length = Int(text) else {
      throw HTTPSyntaxError("malformed Content-Length")
    }
    return length == 0 ? .done : .length(length)
  }
}

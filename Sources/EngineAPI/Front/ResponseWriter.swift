// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import NIOCore

/// Puts our answers on the wire.
struct ResponseWriter {
  let channel: ByteChannel
  let server: String
  let announcement: Announcement?
  let keepsAlive: Bool

  /// True when the connection may carry another exchange.
  func send(_ response: Response, to request: RequestHead) async throws -> Bool {
    var head = ResponseHead(status: response.status, headers: response.headers)
    addStanding(&head.headers, request)
    let isBodiless = response.status / 100 == 1 || response.status == 204 || response.status == 304
    switch response.body {
    case .bytes(let bytes):
      if !isBodiless { head.headers["Content-Length"] = String(bytes.count) }
      addConnection(&head.headers, request, keepsAlive)
      try await channel.write(Self.buffer(head, isBodiless || request.method == "HEAD" ? [] : bytes))
      return keepsAlive
    case .stream(let parts):
      // HTTP/1.0 has no chunks: there, the end of the connection ends the body.
      let isChunked = request.minorVersion == 1 && !isBodiless
      if isChunked { head.headers["Transfer-Encoding"] = "chunked" }
      addConnection(&head.headers, request, keepsAlive && isChunked)
      try await channel.write(head.bytes)
      if request.method != "HEAD", !isBodiless { try await send(parts, isChunked: isChunked) }
      return keepsAlive && isChunked
    }
  }

  private static func buffer(_ head: ResponseHead, _ body: [UInt8]) -> ByteBuffer {
    let head = head.bytes
    var buffer = ByteBuffer()
    buffer.reserveCapacity(head.count + body.count)
    buffer.writeBytes(head)
    buffer.writeBytes(body)
    return buffer
  }

  private func send(_ parts: any AsyncSequence<[UInt8], any Error> & Sendable, isChunked: Bool) async throws {
    for try await part in parts where !part.isEmpty {
      try await channel.write(isChunked ? Self.chunk(part) : ByteBuffer(bytes: part))
    }
    // A cancelled sequence ends early without an error; that must not look like the end of the answer.
    try Task.checkCancellation()
    if isChunked { try await channel.write(Array("0\r\n\r\n".utf8)) }
  }

  private static func chunk(_ part: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer(string: String(part.count, radix: 16) + "\r\n")
    buffer.writeBytes(part)
    buffer.writeString("\r\n")
    return buffer
  }

  /// What every reply of the engine carries.
  private func addStanding(_ headers: inout HTTPHeaders, _ request: RequestHead) {
    var standing = [("Server", server)]
    if let announcement {
      standing = [
        ("Api-Version", announcement.apiVersion), ("Docker-Experimental", "\(announcement.isExperimental)"), ("Ostype", "linux"),
        ("Server", server),
      ]
    }
    for (name, value) in standing where headers[name] == nil { headers.append(name, value) }
  }

  private func addConnection(_ headers: inout HTTPHeaders, _ request: RequestHead, _ keepsAlive: Bool) {
    if !keepsAlive {
      headers["Connection"] = "close"
    } else if request.minorVersion == 0 {
      headers["Connection"] = "keep-alive"
    }
  }
}

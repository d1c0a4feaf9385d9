// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import HTTPWire

/// Our answer to a request. The front adds the headers every reply carries, unless they are set here.
package struct Response: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// Sent in chunks, each flushed as it comes; the next element is asked for when the client's socket has taken the last.
    /// An error ends the connection without the closing chunk, so that the client sees a loss and not an end.
    case stream(any AsyncSequence<[UInt8], any Error> & Sendable)
  }

  package var status: Int
  package var headers: HTTPHeaders
  package var body: Body
  /// Goes on until the client has enough: shutting down ends it as it ends a pipe.
  package var isEndless = false

  package init(status: Int = 200, headers: HTTPHeaders = [:], body: Body = .bytes([]), isEndless: Bool = false) {
    self.status = status
    self.headers = headers
    self.body = body
    self.isEndless = isEndless
  }

  /// JSON with the line feed that the engine ends its answers with.
  package static func json(_ value: JSONValue, status: Int = 200) -> Response {
    json(text: value.bytes, status: status)
  }

  /// JSON that is text already.
  package static func json(text: consuming [UInt8], status: Int = 200) -> Response {
    text.append(0x0a)
    return Response(status: status, headers: ["Content-Type": "application/json"], body: .bytes(text))
  }

  /// The engine's form of an error, which every client shows as it is.
  package static func error(_ status: Int, _ message: String) -> Response {
    json(["message": .string(message)], status: status)
  }
}

/// Thrown by a responder: an answer with a status and the engine's `{"message":…}`.
package struct APIError: Error, CustomStringConvertible {
  package var status: Int
  package var message: String
  package var cause: (any Error)?

  package init(status: Int, _ message: String, cause: (any Error)? = nil) {
    self.status = status
    self.message = message
    self.cause = cause
  }

  package var description: String { "\(status): \(message)" }
}

// SPDX-License-Identifier: Apache-2.0

package import HTTPWire

/// Who answers a request.
package enum Route: Sendable {
  /// `respond(to:)` does.
  case ours
  /// The local engine does: the connection's bytes go to it and back untouched.
  case pipe
  /// The local engine does, after the request was changed.
  case rewrite(@Sendable (Request) async throws -> Rewritten)
}

package enum Rewritten: Sendable {
  /// Sent to the engine in place of the client's; the body's length is filled in.
  case forward(RequestHead, body: [UInt8])
  /// The engine is not asked.
  case answer(Response)
}

/// The resources behind the front.
package protocol Responder: Sendable {
  /// Called for each head, before the body is read; must not wait.
  func route(_ line: RequestLine) -> Route

  /// What every answer announces.
  var announcement: Announcement { get async }

  /// Answers a request that `route` called ours. Runs in a task that is cancelled when the client goes away.
  /// An `APIError` becomes its status; any other error becomes 500 with its description.
  func respond(to request: Request) async throws -> Response
}

extension Responder {
  package var announcement: Announcement { Announcement() }
}

/// In the headers of every answer.
package struct Announcement: Sendable, Hashable {
  /// What clients then speak with us and, through us, with the engine.
  package var apiVersion = "\(APIVersion.newest)"
  /// Of the engine's.
  package var isExperimental = false

  package init() {}
}

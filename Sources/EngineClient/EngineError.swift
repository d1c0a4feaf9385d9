// SPDX-License-Identifier: Apache-2.0

/// Why the engine did not do it. `message` is the engine's own text where it gave one.
package struct EngineError: Error, Sendable, CustomStringConvertible {
  package enum Code: Sendable, Hashable {
    case badRequest
    case unauthorized
    case notFound
    case conflict
    case serverError
    /// Another status that is not a success.
    case refused
    /// Nobody answers on the socket.
    case unreachable
    /// The connection ended before the answer did.
    case connectionLost
    case timeout
    /// The answer was larger than we take.
    case tooLarge
    /// The answer was not what the Engine API promises.
    case malformed
    /// The engine is older than we support.
    case incompatible
    /// Reported inside an answer that began as a success (a pull's progress).
    case failed
  }

  package var code: Code
  /// Nil when no answer came.
  package var status: Int?
  package var message: String
  package var cause: (any Error)?

  package init(_ code: Code, status: Int? = nil, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.status = status
    self.message = message
    self.cause = cause
  }

  /// From a status of 400 or more.
  init(status: Int, message: String) {
    let code: Code =
      switch status {
      case 400: .badRequest
      case 401, 403: .unauthorized
      case 404: .notFound
      case 409: .conflict
      case 500...: .serverError
      default: .refused
      }
    self.init(code, status: status, message)
  }

  /// The same request may succeed later without anybody changing it.
  package var isTransient: Bool {
    [.unreachable, .connectionLost, .timeout].contains(code) || status == 503
  }

  package var description: String { message }
}

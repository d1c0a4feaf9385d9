// SPDX-License-Identifier: Apache-2.0

/// gRPC's codes: swarm's control plane puts them into its messages, and they decide the HTTP status.
package enum RPCCode: String, Sendable, Hashable, CaseIterable {
  case invalidArgument = "InvalidArgument"
  case failedPrecondition = "FailedPrecondition"
  case outOfRange = "OutOfRange"
  case unauthenticated = "Unauthenticated"
  case permissionDenied = "PermissionDenied"
  case notFound = "NotFound"
  case alreadyExists = "AlreadyExists"
  case unimplemented = "Unimplemented"
  case unavailable = "Unavailable"
  case unknown = "Unknown"
  case `internal` = "Internal"
  case deadlineExceeded = "DeadlineExceeded"
  case aborted = "Aborted"
  case canceled = "Canceled"

  package var httpStatus: Int {
    switch self {
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .unauthenticated: 401
    case .permissionDenied: 403
    case .notFound: 404
    case .alreadyExists: 409
    case .unimplemented: 501
    case .unavailable: 503
    case .unknown, .internal, .deadlineExceeded, .aborted, .canceled: 500
    }
  }
}

/// Why a user's request is refused, in the two families of messages that swarm has.
package struct SpecError: Error, Hashable, CustomStringConvertible {
  package var status: Int
  package var message: String

  /// A front-end error: no prefix.
  package init(status: Int = 400, _ message: String) {
    self.status = status
    self.message = message
  }

  /// A control-plane error, with the prefix that clients match.
  package init(rpc code: RPCCode, _ text: String) {
    self.init(status: code.httpStatus, "rpc error: code = \(code.rawValue) desc = \(text)")
  }

  package static func invalidArgument(_ text: String) -> SpecError { SpecError(rpc: .invalidArgument, text) }
  package static func failedPrecondition(_ text: String) -> SpecError { SpecError(rpc: .failedPrecondition, text) }

  /// A part of swarm that this release refuses rather than ignores. `what` is a plural: `secrets`.
  package static func unsupported(_ what: String) -> SpecError {
    .invalidArgument("\(what) are not supported by this release of Skep")
  }

  package var description: String { message }
}

extension String {
  /// As Go's `%q` prints it.
  package var goQuoted: String { JSONValue.string(self).text }
}

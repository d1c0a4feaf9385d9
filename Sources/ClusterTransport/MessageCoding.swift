// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import GRPCCore

/// Messages as JSON.
struct JSONSerializer<Message: Encodable & Sendable>: MessageSerializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes { Bytes(try GoJSONEncoder().bytes(message)) }
}

struct JSONDeserializer<Message: Decodable & Sendable>: MessageDeserializer {
  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
    let bytes = bytes.withUnsafeBytes { Array($0) }
    do { return try GoJSONDecoder().decode(Message.self, from: bytes) } catch {
      throw RPCError(code: .invalidArgument, message: "a message cannot be read: \(error)")
    }
  }
}

extension RPCFailure {
  init(_ error: RPCError) {
    let code =
      switch error.code {
      case .invalidArgument: RPCCode.invalidArgument
      case .failedPrecondition: RPCCode.failedPrecondition
      case .outOfRange: RPCCode.outOfRange
      case .unauthenticated: RPCCode.unauthenticated
      case .permissionDenied: RPCCode.permissionDenied
      case .notFound: RPCCode.notFound
      case .alreadyExists: RPCCode.alreadyExists
      case .unimplemented: RPCCode.unimplemented
      case .unavailable: RPCCode.unavailable
      case .deadlineExceeded: RPCCode.deadlineExceeded
      case .aborted: RPCCode.aborted
      case .cancelled: RPCCode.canceled
      case .internalError: RPCCode.internal
      default: RPCCode.unknown
      }
    self.init(code, error.message)
  }

  var error: RPCError { RPCError(code: grpcCode, message: message) }

  private var grpcCode: RPCError.Code {
    switch code {
    case .invalidArgument: .invalidArgument
    case .failedPrecondition: .failedPrecondition
    case .outOfRange: .outOfRange
    case .unauthenticated: .unauthenticated
    case .permissionDenied: .permissionDenied
    case .notFound: .notFound
    case .alreadyExists: .alreadyExists
    case .unimplemented: .unimplemented
    case .unavailable: .unavailable
    case .deadlineExceeded: .deadlineExceeded
    case .aborted: .aborted
    case .canceled: .cancelled
    case .internal: .internalError
    case .unknown: .unknown
    }
  }
}

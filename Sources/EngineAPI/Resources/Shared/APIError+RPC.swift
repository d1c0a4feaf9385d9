// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import ClusterRPC
import ClusterStore
import EngineClient
import Manager

extension APIError {
  package init(_ error: SpecError) { self.init(status: error.status, error.message, cause: error) }

  /// A control-plane error, with the prefix that clients match.
  package static func rpc(_ code: RPCCode, _ text: String) -> APIError { APIError(SpecError(rpc: code, text)) }

  package static func badRequest(_ message: String) -> APIError { APIError(status: 400, message) }

  /// What any error of our own layers becomes for a client.
  static func from(_ error: any Error) -> any Error {
    switch error {
    case let error as SpecError: APIError(error)
    case let error as RPCFailure: APIError(status: error.code.httpStatus, "\(error)", cause: error)
    case let error as JSONTypeError: APIError(status: 400, "invalid JSON: \(error)", cause: error)
    case let error as JSONSyntaxError: APIError(status: 400, "invalid JSON: \(error)", cause: error)
    case let error as TransactionLimit.Exceeded: APIError(status: 400, "\(error)", cause: error)
    case let error as StoreError: APIError(status: 503, "\(error)", cause: error)
    case let error as EngineError:
      if let status = error.status, status >= 400 {
        // The engine's own answer, as if it had been asked itself.
        APIError(status: status, error.message, cause: error)
      } else {
        APIError(status: error.isTransient ? 503 : 500, "the Docker Engine: \(error.message)", cause: error)
      }
    default: error
    }
  }
}

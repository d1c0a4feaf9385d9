// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import X509

/// Asks for every call, before its message is read, whether the caller may make it.
struct AuthorizationInterceptor: ServerInterceptor {
  let authorization: Authorization
  let service: any ManagerService
  let now: @Sendable () -> Timestamp

  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next: @Sendable (StreamingServerRequest<Input>, ServerContext) async throws -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    var request = request
    do {
      let node = try await admit(request.metadata, context)
      // What the handlers go by is what was found here.
      request.metadata.removeAllValues(forKey: RPCHeader.node)
      if let node { request.metadata.addString(node, forKey: RPCHeader.node) }
    } catch let failure as RPCFailure {
      throw failure.error
    }
    do { return try await next(request, context) } catch let failure as RPCFailure { throw failure.error }
  }

  private func admit(_ metadata: Metadata, _ context: ServerContext) async throws -> String? {
    guard let method = RPCMethod(context.descriptor) else { throw RPCFailure(.unimplemented, "there is no such call") }
    let peer = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate
    let caller = try authorization.caller(try peer.map { try $0.serializeAsPEM().derBytes }, now: now())
    let node = try Authorization.admit(caller, to: method, claiming: metadata.text(RPCHeader.node))
    if let node, let refusal = await service.refusal(of: node) { throw refusal }
    return node
  }
}

extension Metadata {
  /// The only value of a key; `nil` for none, or several.
  func text(_ key: String) -> String? {
    let values = Array(self[stringValues: key])
    return values.count == 1 ? values[0] : nil
  }
}

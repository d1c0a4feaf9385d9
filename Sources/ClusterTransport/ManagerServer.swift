// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Identity
import NIOCore
import NIOSSL

/// A manager's port for nodes: gRPC over TLS 1.3, both sides with certificates.
///
/// A host that joins has none of the cluster's yet and shows one that it made itself, so that one port and one kind of handshake serve all.
package struct ManagerServer: Sendable {
  private let host: String
  private let port: Int
  private let certificate: ShownCertificate
  private let authorization: Authorization
  private let service: any ManagerService
  private let now: @Sendable () -> Timestamp

  /// `credentials` are a manager's. `now` is the wall clock, which decides about certificates.
  package init(
    host: String, port: UInt16, credentials: NodeCredentials, service: any ManagerService,
    now: @escaping @Sendable () -> Timestamp
  ) throws {
    self.host = host
    self.port = Int(port)
    self.service = service
    self.now = now
    certificate = try ShownCertificate(credentials)
    authorization = Authorization(root: credentials.root, clusterID: credentials.identity.clusterID)
  }

  /// From the next connection on; open ones stay. Callers are known by these credentials' root from the next call on.
  package func show(_ credentials: NodeCredentials) throws {
    try certificate.show(credentials)
    authorization.believe(credentials.root)
  }

  /// Until cancelled, which cuts every connection. Throws when it cannot listen. `onListening` is given the port.
  package func run(onListening: @Sendable (UInt16) async -> Void = { _ in }) async throws {
    let connections = OpenConnections()
    let transport = try transport(connections)
    var router = RPCRouter<HTTP2ServerTransport.Posix>()
    ManagerHandlers(service: service).register(with: &router)
    router.registerInterceptors(pipeline: [
      .apply(AuthorizationInterceptor(authorization: authorization, service: service, now: now), to: .all)
    ])
    let server = GRPCServer(transport: transport, router: router)
    // Not a child, which would be cancelled while connections are open.
    let serving = Task { try await server.serve() }
    try await withTaskCancellationHandler {
      if let address = try? await transport.listeningAddress {
        await onListening(UInt16(clamping: address.ipv4?.port ?? address.ipv6?.port ?? 0))
      }
      try await serving.value
    } onCancel: {
      connections.cutAll { serving.cancel() }
    }
  }

  private func transport(_ connections: OpenConnections) throws -> HTTP2ServerTransport.Posix {
    let (authorization, now) = (authorization, now)
    let security = try HTTP2ServerTransport.Posix.TransportSecurity.mTLS(certificateReloader: certificate) { tls in
      tls.requireALPN = true
      // Asked in place of a list of roots: who has no business here is turned away at the handshake.
      tls.customVerificationCallback = { certificates, promise in
        promise.completeWith(Result { try Self.verify(certificates, authorization, now()) })
      }
    }
    let config = HTTP2ServerTransport.Posix.Config.defaults { config in
      config.rpc.maxRequestPayloadSize = ConnectionSettings.messageLimit
      config.http2.targetWindowSize = 1 << 20
      config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
        ConnectionSettings.apply(to: channel).flatMapThrowing {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(NewestTLSOnly(), position: .after(pipeline.handler(type: NIOSSLServerHandler.self)))
          try connections.add(channel)
        }.flatMapErrorThrowing { error in
          // Nobody else would.
          OpenConnections.cut(channel)
          throw error
        }
      }
    }
    let address: GRPCNIOTransportCore.SocketAddress =
      host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
    return HTTP2ServerTransport.Posix(address: address, transportSecurity: security, config: config)
  }

  private static func verify(
    _ certificates: [NIOSSLCertificate], _ authorization: Authorization, _ now: Timestamp
  ) throws -> NIOSSLVerificationResultWithMetadata {
    guard let leaf = certificates.first else { return .failed }
    _ = try authorization.caller(try leaf.toDERBytes(), now: now)
    return .certificateVerified(VerificationMetadata(ValidatedCertificateChain([leaf])))
  }
}

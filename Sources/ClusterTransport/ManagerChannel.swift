// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Identity
package import NIOCore
import NIOPosix
import NIOSSL

/// How a host shows itself to a manager, and how it knows one.
package enum NodeIntroduction: Sendable {
  /// To a manager that nothing is known of yet: only its root certificate is to be asked for.
  case blind(NodeKey)
  /// To a manager of this cluster, which nothing vouches for on our side yet.
  case joining(NodeKey, TrustRoot)
  /// Asked for at each connection, so that a renewed certificate is shown from then on.
  case member(@Sendable () -> NodeCredentials)
  /// Whatever it is, for tests of what managers refuse.
  case showing(certificate: String, key: NodeKey, trusting: TrustRoot)
}

/// A node's connection to a manager: made when needed, made again when lost.
package struct ManagerChannel: Sendable {
  let client: GRPCClient<HTTP2ClientTransport.Posix>

  /// Over any connection, for tests of what managers refuse.
  init(client: GRPCClient<HTTP2ClientTransport.Posix>) { self.client = client }

  /// `address` is `host:2377`; names are looked up. Throws when it is no such thing.
  package init(
    to address: String, as introduction: NodeIntroduction, now: @escaping @Sendable () -> Timestamp,
    on group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
  ) throws {
    let config = HTTP2ClientTransport.Posix.Config.defaults { config in
      config.backoff = .init(initial: .milliseconds(100), max: .seconds(1), multiplier: 1.6, jitter: 0.2)
      config.http2.targetWindowSize = 1 << 20
      config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
        ConnectionSettings.apply(to: channel).flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(try Self.security(introduction, now), position: .first)
        }
      }
    }
    client = GRPCClient(
      transport: try HTTP2ClientTransport.Posix(
        target: try Self.target(address), transportSecurity: .customSecure, config: config, eventLoopGroup: group))
  }

  /// Keeps the connection until cancelled, which ends it at once with whatever is under way. Once.
  package func run(on executor: (any TaskExecutor)? = nil) async throws {
    // Not a child: shut down before it is cancelled, which leaves calls in the library's queue that nothing ends.
    let connections = Task(executorPreference: executor) { try await client.runConnections() }
    try await withTaskCancellationHandler {
      try await connections.value
    } onCancel: {
      client.beginGracefulShutdown()
      connections.cancel()
    }
  }

  /// Runs `body` with a channel that is connected for as long as it takes.
  package static func with<Value: Sendable>(
    to address: String, as introduction: NodeIntroduction, now: @escaping @Sendable () -> Timestamp,
    _ body: @Sendable (ManagerChannel) async throws -> Value
  ) async throws -> Value {
    let channel = try ManagerChannel(to: address, as: introduction, now: now)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await channel.run() }
      defer { group.cancelAll() }
      return try await body(channel)
    }
  }

  private static func target(_ address: String) throws -> any ResolvableTarget {
    guard let (host, port) = HostPort.split(address) else {
      throw RPCFailure(.invalidArgument, "\(address) is no address of a manager: host:port is expected")
    }
    if IPv4Address(host) != nil { return .ipv4(address: host, port: Int(port)) }
    return host.contains(":") ? .ipv6(address: host, port: Int(port)) : .dns(host: host, port: Int(port))
  }

  private static func security(
    _ introduction: NodeIntroduction, _ now: @escaping @Sendable () -> Timestamp
  ) throws -> NIOSSLClientHandler {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv13
    tls.certificateVerification = .noHostnameVerification
    tls.applicationProtocols = ["h2"]
    let (certificate, key, root) = try shown(introduction, now())
    tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) }
    tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem))
    return try NIOSSLClientHandler(
      context: try NIOSSLContext(configuration: tls), serverHostname: nil,
      customVerificationCallback: { certificates, promise in
        promise.completeWith(Result { try verify(certificates, root, now()) })
      })
  }

  private static func shown(
    _ introduction: NodeIntroduction, _ now: Timestamp
  ) throws -> (certificate: String, key: NodeKey, root: TrustRoot?) {
    switch introduction {
    case .blind(let key): return (try key.selfMade(now: now), key, nil)
    case .joining(let key, let root): return (try key.selfMade(now: now), key, root)
    case .member(let credentials):
      let credentials = credentials()
      return (credentials.certificatePEM, credentials.key, credentials.root)
    case .showing(let certificate, let key, let root): return (certificate, key, root)
    }
  }

  /// A manager's certificate of the cluster, whatever address it is reached at.
  private static func verify(
    _ certificates: [NIOSSLCertificate], _ root: TrustRoot?, _ now: Timestamp
  ) throws -> NIOSSLVerificationResult {
    guard let leaf = certificates.first else { return .failed }
    guard let root else { return .certificateVerified }
    return try root.identity(of: try leaf.toDERBytes(), now: now).role == .manager ? .certificateVerified : .failed
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Identity
import NIOCertificateReloading
import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// What every connection between hosts has in common.
enum ConnectionSettings {
  /// Bytes that nobody acknowledges for so long end a connection: a host that was cut off is not waited for. The kernel's `TCP_USER_TIMEOUT`.
  private static let userTimeout = NIOBSDSocket.Option(rawValue: 18)
  private static let patience = 3_000
  /// Messages larger than this are refused on both sides: the largest is a complete assignment.
  static let messageLimit = 64 << 20

  static func apply(to channel: any Channel) -> EventLoopFuture<Void> {
    channel.setOption(ChannelOptions.Types.SocketOption(level: .tcp, name: userTimeout), value: patience)
  }
}

/// The certificate that a listener shows, changed without closing connections.
final class ShownCertificate: CertificateReloader {
  private let shown: Mutex<NIOSSLContextConfigurationOverride>

  init(_ credentials: NodeCredentials) throws { shown = Mutex(try Self.override(credentials)) }

  func show(_ credentials: NodeCredentials) throws {
    let override = try Self.override(credentials)
    shown.withLock { $0 = override }
  }

  var sslContextConfigurationOverride: NIOSSLContextConfigurationOverride { shown.withLock { $0 } }

  private static func override(_ credentials: NodeCredentials) throws -> NIOSSLContextConfigurationOverride {
    var override = NIOSSLContextConfigurationOverride()
    override.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(credentials.certificatePEM.utf8)).map {
      .certificate($0)
    }
    override.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(credentials.key.pem.utf8), format: .pem))
    return override
  }
}

/// Ends a connection that is older than TLS 1.3 as soon as that is known.
final class NewestTLSOnly: ChannelInboundHandler {
  typealias InboundIn = Any

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted = event, (try? context.pipeline.syncOperations.nioSSL_tlsVersion()) != .tlsv13 {
      context.close(promise: nil)
      return
    }
    context.fireUserInboundEventTriggered(event)
  }
}

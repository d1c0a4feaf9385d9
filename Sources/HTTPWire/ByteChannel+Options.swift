// SPDX-License-Identifier: Apache-2.0

import Glibc
package import NIOCore
import NIOPosix

extension ByteChannel {
  /// Connects to the unix socket at `path`.
  package static func connect(toUnixSocket path: String) async throws -> ByteChannel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: false)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connectTimeout(.seconds(10))
      .connect(unixDomainSocketPath: path) { channel in
        channel.eventLoop.makeCompletedFuture { try ByteChannel(wrappingOnEventLoop: channel) }
      }
  }

  /// Clients that may wait to be accepted; the system may allow fewer. Those beyond are told to try again, which no client does.
  package static let backlog: CInt = 4_096

  /// Accepts connections on `descriptor`, a bound stream socket, which the result owns from then on.
  package static func accept(on descriptor: CInt) async throws -> NIOAsyncChannel<ByteChannel, Never> {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: backlog)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .bind(descriptor) { channel in
        channel.eventLoop.makeCompletedFuture { try ByteChannel(wrappingOnEventLoop: channel) }
      }
  }

  /// What went wrong when connecting, in the system's words: `connection refused`.
  package static func connectFailure(_ error: any Error) -> String {
    guard let error = error as? IOError else { return String(describing: error) }
    return String(cString: strerror(error.errnoCode)).lowercased()
  }
}

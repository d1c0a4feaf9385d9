// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Synchronization

/// The connections of a port, which must all be closed before its task is cancelled.
///
/// What begins on an open connection of a cancelled task is dropped by the libraries, and NIO's asynchronous writer ends the process when
/// it is dropped unfinished. Closed, it counts as finished.
final class OpenConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isOver = false
  }

  private let state = Mutex(State())

  /// Throws when no more are taken: the connection is then to be cut.
  func add(_ channel: any Channel) throws {
    let id = ObjectIdentifier(channel)
    try state.withLock { state in
      guard !state.isOver else { throw ChannelError.ioOnClosedChannel }
      state.channels[id] = channel
    }
    channel.closeFuture.whenComplete { [weak self] _ in self?.state.withLock { $0.channels[id] = nil } }
  }

  /// Takes no more, and cuts those that are open. `whenClosed` is called once, when all are closed.
  func cutAll(whenClosed: @escaping @Sendable () -> Void) {
    let open = state.withLock { state in
      state.isOver = true
      return Array(state.channels.values)
    }
    guard let first = open.first else { return whenClosed() }
    for channel in open { Self.cut(channel) }
    EventLoopFuture.whenAllComplete(open.map(\.closeFuture), on: first.eventLoop).whenComplete { _ in whenClosed() }
  }

  /// Closes at once, below TLS, which would first wait for the peer's farewell.
  static func cut(_ channel: any Channel) {
    channel.eventLoop.execute {
      let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
      guard let tls else { return channel.close(promise: nil) }
      tls.close(promise: nil)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Logging
import NIOCore

/// One address the front listens on, and the connections that came in there.
struct Listener {
  private let address: ListenAddress
  private let socket: any ListeningSocket
  private let settings: FrontSettings
  private let registry: ConnectionRegistry
  private let serve: @Sendable (ByteChannel, ConnectionRegistry) async -> Void
  private let logger: Logger

  /// Binds the address.
  init(
    address: ListenAddress, settings: FrontSettings, registry: ConnectionRegistry,
    serve: @escaping @Sendable (ByteChannel, ConnectionRegistry) async -> Void, logger: Logger
  ) throws {
    self.address = address
    self.settings = settings
    self.registry = registry
    self.serve = serve
    self.logger = logger
    socket = try Self.open(address)
  }

  /// Returns when shutting down has begun and every connection is over.
  func run() async {
    await withDiscardingTaskGroup { connections in
      var current: (any ListeningSocket)? = socket
      while let socket = current {
        do {
          try await accept(socket) { channel in connections.addTask { await serve(channel, registry) } }
        } catch  where !registry.isDraining && !Task.isCancelled {
          // Connections that are open have nothing to do with it: they stay, and the address is bound anew.
          logger.error("accepting clients failed", metadata: ["address": "\(address)", "error": "\(error)"])
        } catch {}
        // Before a new file is made: file systems use an inode's number again at once, and the new file would look like this one.
        socket.remove()
        current = await reopen()
      }
    }
  }

  private static func open(_ address: ListenAddress) throws -> any ListeningSocket {
    switch address {
    case .tcp(let host, let port): try InternetSocket(host: host, port: port)
    case .unix(let path, let group): try UnixSocketFile(path: path, group: group)
    }
  }

  /// Returns when the file is gone or shutting down begins.
  private func accept(_ socket: any ListeningSocket, _ connect: (ByteChannel) -> Void) async throws {
    let server = try await ByteChannel.accept(on: socket.descriptor)
    registry.onDrain { server.channel.close(promise: nil) }
    try await server.executeThenClose { incoming in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          await isGone(socket)
          server.channel.close(promise: nil)
        }
        for try await channel in incoming { connect(channel) }
        group.cancelAll()
      }
    }
  }

  /// Somebody's clean-up of /run may delete the file under a running front; clients could then never connect again.
  private func isGone(_ socket: any ListeningSocket) async {
    var warned = false
    while !Task.isCancelled {
      try? await Task.sleep(for: settings.fileCheck)
      switch socket.presence {
      case .ours: warned = false
      case .missing: return
      case .replaced where !warned:
        warned = true
        logger.error("another process took the socket over", metadata: ["address": "\(address)"])
      case .replaced: break
      }
    }
  }

  /// A new file in place of the lost one; nil when shutting down.
  private func reopen() async -> (any ListeningSocket)? {
    var lastFailure = ""
    while !registry.isDraining, !Task.isCancelled {
      do {
        // The whole folder may be what was deleted.
        try address.makeFolder()
        let socket = try Self.open(address)
        logger.warning("listening again", metadata: ["address": "\(address)"])
        return socket
      } catch {
        if "\(error)" != lastFailure {
          logger.error("cannot listen again", metadata: ["address": "\(address)", "error": "\(error)"])
        }
        lastFailure = "\(error)"
        try? await Task.sleep(for: settings.fileCheck)
      }
    }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0

import HTTPWire
package import Logging

/// What Docker clients talk to: answers what the responder calls ours, and hands everything else to the local engine.
package struct HTTPFront: Sendable {
  private let listen: [ListenAddress]
  private let engineSocket: String
  private let responder: any Responder
  private let settings: FrontSettings
  private let logger: Logger

  /// `engineSocket` is the path of the engine's own unix socket.
  package init(
    listen: [ListenAddress], engineSocket: String, responder: any Responder, settings: FrontSettings = FrontSettings(),
    logger: Logger
  ) {
    self.listen = listen
    self.engineSocket = engineSocket
    self.responder = responder
    self.settings = settings
    self.logger = logger
  }

  /// Serves until the task is cancelled; then accepts nobody, closes idle connections and pipes at once, and gives answers in
  /// progress `drainTime`. Throws when it cannot listen at the start. `ready` is called when every address accepts.
  package func run(ready: @escaping @Sendable () -> Void = {}) async throws {
    let registry = ConnectionRegistry(
      limit: settings.maximumConnections, bodies: BodyBudget(limit: settings.maximumBodies))
    // Not a child of this task: children are cancelled with it, and answers in progress are to get their time.
    let serving = Task { try await serve(registry, ready) }
    try await withTaskCancellationHandler {
      try await serving.value
    } onCancel: {
      registry.drain()
    }
  }

  private func serve(_ registry: ConnectionRegistry, _ ready: @escaping @Sendable () -> Void) async throws {
    let listeners = try listen.map {
      try Listener(address: $0, settings: settings, registry: registry, serve: serve, logger: logger)
    }
    ready()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await withDiscardingTaskGroup { group in
          for listener in listeners { group.addTask { await listener.run() } }
        }
      }
      group.addTask { await endOfDrain(registry) }
      // Either every connection is over, or their time is.
      await group.next()
      group.cancelAll()
    }
  }

  private func endOfDrain(_ registry: ConnectionRegistry) async {
    let (draining, drain) = AsyncStream.makeStream(of: Never.self)
    registry.onDrain { drain.finish() }
    for await _ in draining {}
    try? await Task.sleep(for: settings.drainTime)
  }

  private func serve(_ channel: ByteChannel, _ registry: ConnectionRegistry) async {
    guard let ticket = registry.add(channel) else {
      logger.warning("client refused", metadata: ["connections": "\(registry.count)"])
      return await refuse(channel)
    }
    defer { registry.remove(ticket) }
    let connection = ClientConnection(
      channel: channel, ticket: ticket, registry: registry, responder: responder, engineSocket: engineSocket, settings: settings,
      logger: logger)
    await withTaskExecutorPreference(channel.executor) { await connection.run() }
  }

  private func refuse(_ channel: ByteChannel) async {
    let writer = ResponseWriter(
      channel: channel, server: settings.server, announcement: settings.announces ? await responder.announcement : nil,
      keepsAlive: false)
    _ = try? await writer.send(.error(503, "Skep has too many open connections"), to: RequestHead(method: "GET", target: "/"))
    channel.close()
  }
}

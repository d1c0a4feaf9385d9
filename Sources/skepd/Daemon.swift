// SPDX-License-Identifier: Apache-2.0

import DataPlane
import EngineAPI
import EngineClient
import Foundation
import Logging

/// Everything skepd is made of, put together.
struct Daemon {
  let options: Options
  let logger: Logger

  /// Until SIGTERM or SIGINT. Throws what makes it unable to start or to go on.
  func run() async throws {
    try await refuseSwarmMode(of: EngineClient(socketPath: options.engine, timeouts: .init()))
    let directory = try StateDirectory.open(options.stateDirectory)
    try FileManager.default.createDirectory(atPath: options.runDirectory, withIntermediateDirectories: true)
    let engine = EngineClient(socketPath: options.engine)
    let relay = try RelaySupervisor(executable: options.relay, runDirectory: options.runDirectory) { [logger] level, text in
      logger.log(level: Logger.Level(level), "\(text)")
    }
    let node = SwarmNode(
      directory: directory, engine: engine, relay: relay, advertiseAddress: options.advertiseAddress, logger: logger)
    let api = SwarmAPI(control: node, engine: engine) { SystemClock.now().wall }
    let front = HTTPFront(
      listen: options.listen.map { .unix(path: $0) }, engineSocket: options.engine, responder: api, logger: logger)
    let signals = TerminationSignals()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await relay.run() }
      group.addTask { await node.run() }
      group.addTask {
        await node.restore()
        try await front.run { [logger] in logger.info("ready") }
      }
      group.addTask { await signals.wait() }
      // Whatever ends first ends all: a signal, or a part that cannot go on.
      do { try await group.next() } catch {
        group.cancelAll()
        throw error
      }
      logger.info("stopping; containers and traffic go on")
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) {
          logger.warning("while stopping", metadata: ["error": "\(error)"])
        }
      }
    }
  }

  /// Two orchestrators on one engine would remove each other's containers. An engine that does not answer yet is waited for by the
  /// agent, so it is no reason not to start.
  private func refuseSwarmMode(of engine: EngineClient) async throws {
    guard let info = try? await engine.info() else {
      return logger.warning("the engine does not answer yet", metadata: ["engine": "\(options.engine)"])
    }
    guard ["", "inactive"].contains(info.value.swarm.localNodeState) else {
      throw StateError(
        description: """
          the engine at \(options.engine) is itself in swarm mode (\(info.value.swarm.localNodeState)). Leave it first with \
          "docker -H unix://\(options.engine) swarm leave --force"; its services can be created again through Skep
          """)
    }
  }
}

extension Logger.Level {
  init(_ level: RelaySupervisor.LogLevel) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }
}

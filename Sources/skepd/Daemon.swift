// SPDX-License-Identifier: Apache-2.0

import CLinux
import DataPlane
import EngineAPI
import EngineClient
import Foundation
import Logging
import ServiceManager
import Telemetry

/// Everything skepd is made of, put together.
struct Daemon {
  let options: Options
  let logger: Logger

  /// Until SIGTERM or SIGINT. Throws what makes it unable to start or to go on.
  func run() async throws {
    try checkAdvertiseAddress()
    let isChecked = try await refuseSwarmMode(of: EngineClient(socketPath: options.engine))
    if !isChecked { logger.warning("the engine does not answer yet", metadata: ["engine": "\(options.engine)"]) }
    let directory = try StateDirectory.open(options.stateDirectory)
    try FileManager.default.createDirectory(atPath: options.runDirectory, withIntermediateDirectories: true)
    let engine = EngineClient(socketPath: options.engine)
    let relay = try RelaySupervisor(executable: options.relay, runDirectory: options.runDirectory) { [logger] level, text in
      logger.log(level: Logger.Level(level), "\(text)")
    }
    let events = EventLog()
    let node = SwarmNode(
      directory: directory, engine: engine, relay: relay,
      files: HostTaskFiles(runDirectory: options.runDirectory), events: events, advertiseAddress: options.advertiseAddress,
      logger: logger)
    let api = SwarmAPI(control: node, engine: engine, eventLog: events) { SystemClock.now().wall }
    let front = HTTPFront(
      listen: options.listen.map { .unix(path: $0) }, engineSocket: options.engine, responder: api, logger: logger)
    let page = MetricsPage(relay: relay, node: node)
    let metrics = HTTPFront(
      listen: [.unix(path: options.metricsSocket)] + [options.metricsAddress].compactMap { $0 }, engineSocket: options.engine,
      responder: MetricsEndpoint(contentType: TextFormat.contentType) { await page.bytes() }, settings: .metrics, logger: logger)
    let isMeasured = OneShot()
    let signals = TerminationSignals()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await relay.run() }
      group.addTask { await node.run() }
      group.addTask { try await metrics.run { isMeasured.fire() } }
      group.addTask {
        // Before it says that it is ready: an address that cannot be had is a reason not to start.
        await isMeasured.wait()
        try Task.checkCancellation()
        await node.restore()
        try await front.run { [logger] in
          logger.info("ready")
          ServiceManager.tell(.ready)
        }
      }
      group.addTask { await keepMemorySmall() }
      group.addTask { await signals.wait() }
      if !isChecked { group.addTask { try await keepChecking(engine) } }
      // Whatever ends first ends all: a signal, or a part that cannot go on.
      do { try await group.next() } catch {
        group.cancelAll()
        throw error
      }
      ServiceManager.tell(.stopping)
      let isAlone = await node.isAlone
      logger.info(isAlone ? "stopping" : "stopping; containers and traffic go on")
      // A service manager's own is that one's matter.
      if isAlone, options.relay != nil { await endIdleRelay(relay) }
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) {
          logger.warning("while stopping", metadata: ["error": "\(error)"])
        }
      }
    }
  }

  /// What a burst of requests took goes back to the system, until cancelled.
  private func keepMemorySmall() async {
    while (try? await Task.sleep(for: .seconds(20))) != nil { cl_release_memory() }
  }

  /// Without a swarm nothing needs the relay, unless it still serves for a swarm whose state was lost.
  private func endIdleRelay(_ relay: RelaySupervisor) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        if let listeners = try? await relay.counters(), listeners.isEmpty { try? await relay.shutdownRelay() }
      }
      group.addTask { try? await Task.sleep(for: .seconds(2)) }
      await group.next()
      group.cancelAll()
    }
  }

  private func checkAdvertiseAddress() throws {
    guard let address = options.advertiseAddress else { return }
    guard try HostAddresses.all().contains(where: { $0.address == address || $0.interface == address }) else {
      throw StateError(description: "advertise-addr \(address) is neither an address nor an interface of this host")
    }
  }

  /// Two orchestrators on one engine would remove each other's containers. An engine that does not answer is no reason not to start;
  /// returns whether it did.
  private func refuseSwarmMode(of engine: EngineClient) async throws -> Bool {
    guard let info = try? await engine.info() else { return false }
    guard ["", "inactive"].contains(info.value.swarm.localNodeState) else {
      throw EngineInSwarmMode(socket: options.engine, state: info.value.swarm.localNodeState)
    }
    return true
  }

  /// For an engine that came after us: asks until it answers, then is silent until cancelled.
  private func keepChecking(_ engine: EngineClient) async throws {
    while try await !refuseSwarmMode(of: engine) { try await Task.sleep(for: .seconds(1)) }
    while true { try await Task.sleep(for: .seconds(3_600)) }
  }
}

/// Nothing that passes by itself: the operator has to choose one of the two.
struct EngineInSwarmMode: Error, CustomStringConvertible {
  var socket: String
  var state: String

  var description: String {
    """
    the engine at \(socket) is itself in swarm mode (\(state)). Leave it first with "docker -H unix://\(socket) swarm leave \
    --force", then start skepd; its services can be created again through Skep
    """
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

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import DataPlane
import EngineAPI
import EngineClient
import Logging
import Manager
import Netfilter
import NodeAgent

/// What runs while this host is in a swarm: the leader's loop, the node's session and its agent.
struct SwarmRuntime: Sendable {
  let swarm: ActiveSwarm
  let agent: NodeAgent
  private let loop: ControlLoop
  private let session: NodeSession
  private let sources: SourceKeeper
  private let logger: Logger
  private let stopping = OneShot()
  private let ended = OneShot()

  init(swarm: ActiveSwarm, engine: any Engine, relay: RelaySupervisor, logger: Logger) {
    self.swarm = swarm
    self.logger = logger
    loop = ControlLoop(store: swarm.store, logger: logger, now: SystemClock.now)
    session = NodeSession(
      nodeID: swarm.nodeID, address: swarm.address, store: swarm.store, loop: loop, logger: logger, now: SystemClock.now)
    agent = NodeAgent(
      engine: engine, dispatcher: session, plane: RelayPlane(supervisor: relay), sockets: HostSockets(), nodeID: swarm.nodeID,
      clusterID: swarm.clusterID, sealer: swarm.sealer, clock: .system, logger: logger)
    sources = SourceKeeper(bridge: IngressNetwork.bridge, logger: logger, inside: { try await Self.inside(engine) }) {
      try await relay.keepSources($0)
    }
  }

  /// Until cancelled or stopped; containers and traffic stay as they are.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await loop.run() }
      group.addTask { await session.run() }
      group.addTask { await sources.run() }
      group.addTask {
        do { try await agent.run() } catch is CancellationError {} catch {
          logger.error("the agent ended", metadata: ["error": "\(error)"])
        }
      }
      await stopping.wait()
      group.cancelAll()
    }
    ended.fire()
  }

  /// This host's own addresses and its containers': clients there are told apart by them.
  private static func inside(_ engine: any Engine) async throws -> [IPv4Subnet] {
    let own = try HostAddresses.all().compactMap { IPv4Address($0.address) }.map { IPv4Subnet(base: $0, prefix: 32) }
    let bridges = try await engine.networks(filters: ["driver": ["bridge"]])
    let pools = bridges.flatMap(\.value.ipam.config).compactMap { IPv4Subnet($0.subnet) }
    return own + pools + [IPv4Subnet(base: .loopback, prefix: 8)]
  }

  /// Returns when everything of it has ended.
  func stop() async {
    stopping.fire()
    await ended.wait()
  }
}

/// Something that happens once, and one task that waits for it. The wait also ends when that task is cancelled.
struct OneShot: Sendable {
  private let stream: AsyncStream<Never>
  private let continuation: AsyncStream<Never>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream(of: Never.self) }

  func fire() { continuation.finish() }
  func wait() async { for await _ in stream {} }
}

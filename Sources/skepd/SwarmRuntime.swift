// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import DataPlane
import EngineAPI
import EngineClient
import Logging
import Manager
import NodeAgent

/// A manager: the leader's loop, the sessions of all nodes, and the agent of this one.
struct SwarmRuntime: NodeRuntime {
  let swarm: ActiveSwarm
  let agent: NodeAgent
  private let loop: ControlLoop
  private let session: NodeSession
  private let service: NodeService
  private let port: ManagerPort
  private let networks: HostNetworks
  private let logger: Logger
  private let stopping = OneShot()
  private let ended = OneShot()

  var clusterID: String { swarm.clusterID }
  var nodeID: String { swarm.nodeID }

  /// `listen` is where nodes are listened for.
  init(
    swarm: ActiveSwarm, authority: ClusterAuthority, listen: (host: String, port: UInt16), engine: any Engine,
    relay: RelaySupervisor, files: HostTaskFiles, logger: Logger
  ) {
    self.swarm = swarm
    self.logger = logger
    loop = ControlLoop(store: swarm.store, logger: logger, now: SystemClock.now)
    session = NodeSession(
      nodeID: swarm.nodeID, address: swarm.address, store: swarm.store, loop: loop, logger: logger, now: SystemClock.now)
    let secrets = ClusterSecrets(authority, sealer: swarm.sealer)
    service = NodeService(
      ownID: swarm.nodeID, store: swarm.store, loop: loop, secrets: secrets, logger: logger, now: SystemClock.now)
    port = ManagerPort(
      host: listen.host, port: listen.port, nodeID: swarm.nodeID, store: swarm.store, authority: authority, service: service,
      logger: logger)
    networks = HostNetworks(engine: engine, relay: relay, logger: logger)
    agent = NodeAgent(
      engine: engine, dispatcher: session, plane: HostTraffic(relay: RelayPlane(supervisor: relay), networks: networks),
      networks: networks, sockets: HostSockets(), files: files,
      nodeID: swarm.nodeID,
      clusterID: swarm.clusterID, sealer: swarm.sealer, clock: .system, logger: logger)
  }

  /// Until cancelled or stopped; containers and traffic stay as they are.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await loop.run() }
      group.addTask { await session.run() }
      group.addTask { await service.run() }
      group.addTask { await port.run() }
      group.addTask { await networks.run() }
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

  func logSource(forNode id: String) -> (any TaskLogSource)? {
    id == swarm.nodeID ? agent : service.logSource(forNode: id)
  }

  /// Whoever is told that there is a swarm may join it at once. Not for ever: the port may be another program's.
  func untilListening() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await port.opened.wait() }
      group.addTask { try? await Task.sleep(for: .seconds(5)) }
      await group.next()
      group.cancelAll()
    }
  }

  func stop(isLeaving: Bool) async {
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

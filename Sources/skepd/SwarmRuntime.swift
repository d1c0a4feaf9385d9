// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import EngineAPI
import EngineClient
import Logging
import Manager
import NodeAgent

/// What runs while this host is in a swarm: the leader's loop, the node's session and its agent.
struct SwarmRuntime: Sendable {
  let swarm: ActiveSwarm
  let agent: NodeAgent
  private let loop: ControlLoop
  private let session: NodeSession
  private let logger: Logger
  private let stopping = OneShot()
  private let ended = OneShot()

  init(swarm: ActiveSwarm, engine: any Engine, plane: any TrafficPlane, logger: Logger) {
    self.swarm = swarm
    self.logger = logger
    loop = ControlLoop(store: swarm.store, logger: logger, now: SystemClock.now)
    session = NodeSession(
      nodeID: swarm.nodeID, address: swarm.address, store: swarm.store, loop: loop, logger: logger, now: SystemClock.now)
    agent = NodeAgent(
      engine: engine, dispatcher: session, plane: plane, nodeID: swarm.nodeID, clusterID: swarm.clusterID,
      clock: AgentClock(now: SystemClock.now) { try await Task.sleep(for: $0) }, logger: logger)
  }

  /// Until cancelled or stopped; containers and traffic stay as they are.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await loop.run() }
      group.addTask { await session.run() }
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

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterTransport
import DataPlane
import EngineClient
import Identity
import Logging
import NodeAgent
import Synchronization

/// A worker: the agent, and its link to the managers.
struct WorkerRuntime: NodeRuntime {
  let clusterID: String
  let nodeID: String
  let agent: NodeAgent
  private let link: ManagerLink
  private let networks: HostNetworks
  private let renewal: CertificateRenewal
  private let directory: StateDirectory
  private let assignments: AsyncStream<Assignment>
  private let logger: Logger
  private let stopping = OneShot()
  private let ended = OneShot()

  /// So long nothing is replaced while skepd is being restarted.
  private static let lease = Duration.seconds(60)
  /// A goodbye that is not heard must not hold anything up.
  private static let farewell = Duration.seconds(2)
  /// A file at most as often as this, whatever changes.
  private static let keepInterval = Duration.seconds(1)

  init(
    _ membership: Membership, directory: StateDirectory, engine: any Engine, relay: RelaySupervisor, files: HostTaskFiles,
    logger: Logger,
    tell: @escaping @Sendable (ManagerLink.Event) -> Void
  ) throws {
    let identity = membership.credentials.identity
    guard let manager = membership.managers.first?.addr else { throw StateError(description: "no manager is known") }
    clusterID = identity.clusterID
    nodeID = identity.nodeID
    self.directory = directory
    self.logger = logger
    let credentials = CurrentCredentials(membership.credentials)
    let sealer = try directory.sealingKey()
    let wishes = CertificateRenewal.Wishes()
    let link = try ManagerLink(
      to: manager, nodeID: nodeID, dataPathAddr: membership.dataPath, credentials: { credentials.current }, sealer: sealer,
      logger: logger, now: { SystemClock.now().wall }
    ) { event in
      if case .outdated(let mark) = event { wishes.ask(for: mark) } else { tell(event) }
    }
    self.link = link
    renewal = CertificateRenewal(of: credentials, by: wishes, over: link, directory, logger)
    let (assignments, keep) = AsyncStream.makeStream(of: Assignment.self, bufferingPolicy: .bufferingNewest(1))
    self.assignments = assignments
    networks = HostNetworks(engine: engine, relay: relay, logger: logger)
    agent = NodeAgent(
      engine: engine, dispatcher: link, plane: HostTraffic(relay: RelayPlane(supervisor: relay), networks: networks),
      networks: networks, sockets: HostSockets(), files: files,
      nodeID: nodeID,
      clusterID: clusterID, sealer: sealer, clock: .system, logger: logger, lastAssignment: directory.lastAssignment()
    ) { keep.yield($0) }
  }

  func run() async {
    // A task of its own: the goodbye needs the link, which a cancelled one would have lost.
    let work = Task { await self.work() }
    await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      stopping.fire()
    }
    ended.fire()
  }

  private func work() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await link.run(logs: agent) }
      group.addTask { await networks.run() }
      group.addTask { await keepAssignments() }
      group.addTask { await renewal.run() }
      group.addTask {
        do { try await agent.run() } catch is CancellationError {} catch {
          logger.error("the agent ended", metadata: ["error": "\(error)"])
        }
      }
      await stopping.wait()
      // Nothing for one who leaves: that was said before.
      await sayGoodbye(lease: Self.lease)
      group.cancelAll()
    }
  }

  func stop(isLeaving: Bool) async {
    if isLeaving { await sayGoodbye(lease: nil) }
    stopping.fire()
    await ended.wait()
  }

  func logSource(forNode id: String) -> (any TaskLogSource)? { nil }

  private func sayGoodbye(lease: Duration?) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await link.goodbye(lease: lease) }
      group.addTask { try? await Task.sleep(for: Self.farewell) }
      await group.next()
      group.cancelAll()
    }
  }

  private func keepAssignments() async {
    var hasFailed = false
    for await assignment in assignments {
      do {
        try directory.write(assignment)
        hasFailed = false
      } catch {
        if !hasFailed { logger.error("what is assigned cannot be kept for a restart", metadata: ["error": "\(error)"]) }
        hasFailed = true
      }
      try? await Task.sleep(for: Self.keepInterval)
    }
  }
}

extension CertificateRenewal {
  fileprivate init(
    of credentials: CurrentCredentials, by wishes: Wishes, over link: ManagerLink, _ directory: StateDirectory, _ logger: Logger
  ) {
    self.init(
      of: credentials, by: wishes, now: { SystemClock.now().wall }, sleep: { try await Task.sleep(for: $0) },
      steps: Steps(
        ask: { try await link.renew($0) }, keep: { try directory.write($0) },
        show: { renewed in
          logger.info("the node's certificate was renewed", metadata: ["until": "\(renewed.notAfter)"])
          link.reconnect()
        },
        failed: { logger.warning("the node's certificate could not be renewed", metadata: ["error": "\($0)"]) }))
  }
}

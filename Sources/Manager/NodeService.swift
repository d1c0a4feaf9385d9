// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
import ClusterStore
package import Logging
import Orchestration
import Synchronization

/// What only the holder of the authority's key can do, and what nodes are told in confidence.
package struct ClusterSecrets: Sendable {
  /// Signs a request (PEM) for a worker's, or the own manager's, certificate, by the authority that the cluster wants nodes to have.
  package var sign: @Sendable (_ request: String, _ nodeID: String, _ isManager: Bool, _ cluster: Cluster) throws -> String
  package var sealer: any Sealer

  package init(
    sign: @escaping @Sendable (_ request: String, _ nodeID: String, _ isManager: Bool, _ cluster: Cluster) throws -> String,
    sealer: any Sealer
  ) {
    self.sign = sign
    self.sealer = sealer
  }
}

/// The managers' side of all other nodes: their entry, their sessions, and the judgement whether they are there.
package actor NodeService: ManagerService {
  struct Entry {
    let id: String
    let session: NodeSession
  }

  let ownID: String
  let store: Store
  let loop: ControlLoop
  let secrets: ClusterSecrets
  let logger: Logger
  let now: @Sendable () -> Now
  let monitor: Mutex<NodeMonitor>
  let logs = LogBroker()
  let views = SharedViews()
  var sessions: [String: Entry] = [:]
  var generator = SystemRandomNumberGenerator()
  var joins = RecentJoins()
  private let jobs: AsyncStream<NodeSession>
  private let addJob: AsyncStream<NodeSession>.Continuation

  /// `ownID` is this manager's node, whose agent has its session in process.
  package init(
    ownID: String, store: Store, loop: ControlLoop, secrets: ClusterSecrets, logger: Logger, now: @escaping @Sendable () -> Now
  ) {
    self.ownID = ownID
    self.store = store
    self.loop = loop
    self.secrets = secrets
    self.logger = logger
    self.now = now
    monitor = Mutex(NodeMonitor(period: ClusterSpec.ownHeartbeatPeriod))
    // Emptied at once into the task group.
    (jobs, addJob) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
  }

  /// Runs sessions and judges nodes until cancelled.
  package func run() async {
    await views.follow(store)
    await withDiscardingTaskGroup { group in
      group.addTask { await self.judge() }
      group.addTask { await self.clearAbandoned() }
      for await session in jobs { group.addTask { await session.run() } }
      group.cancelAll()
    }
    for (node, entry) in sessions {
      logs.disconnect(node)
      await entry.session.end()
    }
    sessions = [:]
  }

  /// The session of that id, if it is still the node's.
  func session(_ id: String, of node: String) throws(RPCFailure) -> NodeSession {
    guard let entry = sessions[node], entry.id == id else { throw .sessionOver }
    return entry.session
  }

  func begin(_ session: NodeSession, of node: String) async -> String {
    let id = Identifier.make(using: &generator)
    let old = sessions.updateValue(Entry(id: id, session: session), forKey: node)
    views.share(among: sessions.count)
    addJob.yield(session)
    if let old {
      logs.disconnect(node)
      await old.session.end()
    }
    return id
  }

  func endSession(of node: String) async {
    logs.disconnect(node)
    let ended = sessions.removeValue(forKey: node)
    views.share(among: sessions.count)
    await ended?.session.end()
  }
}

extension NodeService {
  package func assignments(of node: String, session id: String) async throws -> AsyncStream<Assignment> {
    try await session(id, of: node).assignments()
  }

  package func update(_ statuses: NodeMessage.Statuses, of node: String, session id: String) async throws {
    try await session(id, of: node).update(statuses: statuses.tasks.mapValues(\.status))
  }

  package func report(_ traffic: NodeMessage.Traffic, of node: String, session id: String) async throws {
    try await session(id, of: node).report(traffic: traffic.report)
  }

  package func attach(
    _ request: NodeMessage.AttachRequest, of node: String, session id: String
  ) async throws -> NodeMessage.AttachReply {
    try await session(id, of: node).attach(request)
  }

  package func report(_ containers: NodeMessage.AttachedContainers, of node: String, session id: String) async throws {
    try await session(id, of: node).report(containers: containers)
  }

  package nonisolated func openRegistryAuth(_ template: TaskTemplate) -> String? {
    guard let sealed = template.spec.registryAuth else { return nil }
    return try? secrets.sealer.openRegistryAuth(sealed, ofService: template.key.serviceID)
  }

  package nonisolated func open(_ payload: AssignedPayload) -> [UInt8]? {
    do { return try secrets.sealer.openPayload(payload.data, payload.kind, id: payload.id) } catch {
      logger.error(
        "a \(payload.kind.rawValue) cannot be read: tasks that need it fail",
        metadata: ["\(payload.kind.rawValue)": "\(payload.name)", "error": "\(error)"])
      return nil
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import ClusterStore
import Orchestration

/// Which nodes are there: from heartbeats and goodbyes to the nodes' states.
extension NodeService {
  package func beat(of node: String, session id: String) async throws -> NodeMessage.Beat {
    _ = try session(id, of: node)
    let wasSuspended = monitor.withLock { $0.heard(node, at: now().uptime) }
    let (isThere, period, mark) = await store.read {
      ($0.nodes[node] != nil, $0.cluster?.spec.heartbeatPeriod, $0.cluster?.authorityMark)
    }
    if !isThere, let refusal = await refusal(of: node) { throw refusal }
    if wasSuspended { await set(node, .ready, nil) { !$0.isSuspended(node) } }
    return NodeMessage.Beat(heartbeatPeriod: period ?? ClusterSpec.ownHeartbeatPeriod, authority: mark)
  }

  package func goodbye(_ goodbye: NodeMessage.Goodbye, of node: String, session id: String) async throws {
    _ = try session(id, of: node)
    await endSession(of: node)
    if let lease = goodbye.lease {
      monitor.withLock { $0.excuse(node, for: min(.nanoseconds(lease), Self.longestLease), at: now().uptime) }
      await set(node, .disconnected, "the node's agent will be back in a moment") { $0.isWatched(node) }
    } else {
      monitor.withLock { $0.forget(node) }
      await set(node, .down, "the node has left the swarm") { !$0.isWatched(node) }
    }
  }

  /// What a planned restart may take.
  private static let longestLease = Duration.seconds(60)

  func judge() async {
    let known = await store.read { store in store.nodes.values.filter { $0.status.state != .down }.map(\.id) }
    monitor.withLock { $0.begin(with: known.filter { $0 != ownID }, at: now().uptime) }
    while !Task.isCancelled {
      let period = await store.read { $0.cluster?.spec.heartbeatPeriod } ?? ClusterSpec.ownHeartbeatPeriod
      let verdicts = monitor.withLock { monitor in
        monitor.period = period
        let moment = now().uptime
        monitor.heard(ownID, at: moment)
        return monitor.judge(at: moment)
      }
      for verdict in verdicts { await carryOut(verdict) }
      try? await Task.sleep(for: NodeMonitor.interval)
    }
  }

  private func carryOut(_ verdict: NodeMonitor.Verdict) async {
    switch verdict {
    case .down(let node):
      logger.warning("a node is lost: its tasks are replaced", metadata: ["node": "\(node)"])
      // It must tell anew what it runs, should it come back.
      await endSession(of: node)
      await set(node, .down, "heartbeat failure") { !$0.isWatched(node) }
    case .unknown(let node):
      logger.warning(
        "most nodes have fallen silent together, so this manager may be the one that is cut off: nothing is replaced for 30 s",
        metadata: ["node": "\(node)"])
      await set(node, .unknown, "not heard of, with most others; nothing is replaced yet") { $0.isSuspended(node) }
    }
  }

  /// Unless the node was heard meanwhile: `isStill` is asked when it is this write's turn.
  private func set(
    _ node: String, _ state: NodeStatus.State, _ message: String?, isStill: @escaping @Sendable (NodeMonitor) -> Bool
  ) async {
    do {
      try await store.batch { transaction in
        guard var found = transaction.node(node), self.monitor.withLock({ isStill($0) }) else { return }
        found.status.state = state
        found.status.message = message
        transaction.put(found)
      }
    } catch {
      logger.error("a node's state could not be written", metadata: ["node": "\(node)", "error": "\(error)"])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import ClusterStore
import Orchestration

/// Which nodes are there: from heartbeats and goodbyes to the nodes' states.
extension NodeService {
  package func beat(of node: String, session id: String) async throws -> NodeMessage.Beat {
    _ = try session(id, of: node)
    let wasSuspended = heard(node)
    let (isThere, period, mark) = await store.read {
      ($0.nodes[node] != nil, $0.cluster?.spec.heartbeatPeriod, $0.cluster?.authorityMark)
    }
    if !isThere, let refusal = await refusal(of: node) { throw refusal }
    if wasSuspended { await noteReturn(of: node) }
    return NodeMessage.Beat(heartbeatPeriod: period ?? ClusterSpec.ownHeartbeatPeriod, authority: mark)
  }

  /// Whether it had been given up for a moment, and may be given tasks again.
  func heard(_ node: String) -> Bool {
    let moment = now().uptime
    return monitor.withLock { $0.heard(node, at: moment) && !$0.damper.isHeld(node, at: moment) }
  }

  func noteReturn(of node: String) async { await set(node, .ready, nil) { !$0.isSuspended(node) } }

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
      let (verdicts, released) = monitor.withLock { monitor in
        monitor.period = period
        let moment = now().uptime
        monitor.heard(ownID, at: moment)
        return (monitor.judge(at: moment), monitor.damper.released(at: moment))
      }
      for verdict in verdicts { await carryOut(verdict) }
      for node in released { await release(node) }
      try? await Task.sleep(for: NodeMonitor.interval)
    }
  }

  /// Entries of hosts that began to join and did not finish.
  func clearAbandoned() async {
    while !Task.isCancelled {
      let wall = now().wall
      let abandoned = await store.read { $0.nodes.values.filter { $0.isAbandoned(at: wall) }.map(\.id) }
      for node in abandoned { await clear(node, wall) }
      try? await Task.sleep(for: Self.clearInterval)
    }
  }

  private static let clearInterval = Duration.seconds(60)

  private func clear(_ node: String, _ wall: Timestamp) async {
    let isGone = try? await store.batch { transaction in
      guard transaction.node(node)?.isAbandoned(at: wall) == true else { return false }
      transaction.removeNode(node)
      return true
    }
    guard isGone == true else { return }
    monitor.withLock { $0.forget(node) }
    logger.info("the entry of a host that never finished joining is removed", metadata: ["node": "\(node)"])
  }

  /// A node that was lost too often has been there for long enough.
  private func release(_ node: String) async {
    guard sessions[node] != nil else { return }
    logger.info("a node that was lost again and again is given tasks again", metadata: ["node": "\(node)"])
    await set(node, .ready, nil) { $0.isWatched(node) && !$0.isSuspended(node) }
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
  func set(
    _ node: String, _ state: NodeStatus.State, _ message: String?, isStill: @escaping @Sendable (NodeMonitor) -> Bool
  ) async {
    do {
      try await store.batch { transaction in
        guard var found = transaction.node(node), self.monitor.withLock({ isStill($0) }) else { return }
        found.status.state = state
        found.status.message = message
        found.status.downSince = state == .down ? found.status.downSince ?? self.now().wall : nil
        transaction.put(found)
      }
    } catch {
      logger.error("a node's state could not be written", metadata: ["node": "\(node)", "error": "\(error)"])
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import DataPlane
import EngineClient
import NodeAgent

// `docker swarm leave`, also one that is finished after a restart.
extension SwarmNode {
  private static let leaveRetry = Duration.seconds(2)

  func leave(force: Bool) async throws {
    try beginChange()
    defer { isChanging = false }
    if let runtime {
      try directory.beginLeaving(clusterID: runtime.clusterID)
      state = .pending
      await runtime.stop(isLeaving: true)
      self.runtime = nil
    } else if !directory.isLeaving {
      try directory.beginLeaving(clusterID: directory.clusterID ?? "")
    }
    do { try await eraseSwarm() } catch {
      state = .failed("leaving the swarm is not finished: \(error)")
      throw error
    }
  }

  /// A leave that a crash or an absent engine interrupted.
  func finishLeaving() async {
    do { try await eraseSwarm() } catch {
      state = .failed("leaving the swarm is not finished: \(error)")
      logger.error("leaving the swarm is not finished", metadata: ["error": "\(error)"])
    }
  }

  /// What an engine that was away kept from being finished.
  func retryLeaving() async {
    while (try? await Task.sleep(for: Self.leaveRetry)) != nil {
      guard isRestored, !isChanging, case .failed = state, directory.isLeaving else { continue }
      isChanging = true
      try? await eraseSwarm()
      isChanging = false
    }
  }

  private func eraseSwarm() async throws {
    let known = directory.leavingClusterID
    for clusterID in known.isEmpty ? try await clustersOnEngine() : [known] {
      try await NodeAgent.leave(engine: engine, clusterID: clusterID, clock: .system)
    }
    try await relay.shutdownRelay()
    try await HostNetworks.remove()
    try files.removeAll()
    try directory.erase()
    state = .inactive
    logger.info("left the swarm")
  }

  /// Whose containers this host's engine holds: an engine serves one skepd, so all of them are to go.
  func clustersOnEngine() async throws -> Set<String> {
    let containers = try await engine.containers(all: true, labels: [Labels.cluster]).compactMap { $0.labels[Labels.cluster] }
    let networks = try await engine.networks(filters: ["label": [Labels.cluster]]).compactMap { $0.value.labels[Labels.cluster] }
    return Set(containers + networks)
  }
}

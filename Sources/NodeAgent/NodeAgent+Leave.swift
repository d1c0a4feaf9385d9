// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import EngineClient

extension NodeAgent {
  /// Removes every container of the cluster and its networks. Call it when `run` has ended; may be called again.
  package static func leave(engine: any Engine, clusterID: String, clock: AgentClock) async throws {
    let containers = try await engine.containers(all: true, labels: ["\(Labels.cluster)=\(clusterID)"])
    try await withThrowingDiscardingTaskGroup { group in
      for container in containers where container.labels[Labels.cluster] == clusterID {
        group.addTask { try await remove(container.id, engine, clock) }
      }
    }
    for network in try await engine.networks(filters: ["label": ["\(Labels.cluster)=\(clusterID)", Labels.network]]) {
      guard network.value.labels[Labels.cluster] == clusterID else { continue }
      // Containers that are no tasks are their users' own, and stay.
      for container in try await engine.network(network.value.id).containers.keys {
        try await absentIsFine { try await engine.disconnectNetwork(network.value.id, container: container, force: true) }
      }
      try await absentIsFine { try await engine.removeNetwork(network.value.id) }
    }
    try await absentIsFine {
      let network = try await engine.network(IngressNetwork.name)
      // One that was shared with what a lost cluster had left goes with its last user.
      guard let owner = network.labels[Labels.cluster], owner == clusterID || network.containers.isEmpty else { return }
      try await engine.removeNetwork(network.id)
    }
  }

  /// The engine refuses what it is removing already, for one who was cut off before the answer: that is waited for.
  private static func remove(_ id: String, _ engine: any Engine, _ clock: AgentClock) async throws {
    var backoff = Backoff()
    for attempt in 1...20 {
      do {
        return try await absentIsFine { try await engine.removeContainer(id, force: true, volumes: true) }
      } catch let error as EngineError where error.code == .conflict && attempt < 20 {
        try await clock.sleep(backoff.next())
      }
    }
  }

  private static func absentIsFine(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as EngineError where error.code == .notFound {}
  }
}

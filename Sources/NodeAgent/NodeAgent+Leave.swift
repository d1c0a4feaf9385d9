// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import EngineClient

extension NodeAgent {
  /// What an agent had asked for when it ended, the engine may still be making: it is looked for again, so much later.
  private static let secondLook = Duration.milliseconds(200)
  /// More looks than that find somebody else at work.
  private static let looks = 20

  /// Removes every container of the cluster and its networks. Call it when `run` has ended; may be called again.
  package static func leave(engine: any Engine, clusterID: String, clock: AgentClock) async throws {
    var quiet = 0
    for _ in 1...looks {
      quiet = try await removeAll(engine, clusterID, clock) ? 0 : quiet + 1
      if quiet == 2 { return }
      try await clock.sleep(secondLook)
    }
  }

  /// Whether there was anything.
  private static func removeAll(_ engine: any Engine, _ clusterID: String, _ clock: AgentClock) async throws -> Bool {
    let containers = try await engine.containers(all: true, labels: ["\(Labels.cluster)=\(clusterID)"])
    var isAny = !containers.isEmpty
    try await withThrowingDiscardingTaskGroup { group in
      for container in containers where container.labels[Labels.cluster] == clusterID {
        group.addTask { try await remove(container.id, engine, clock) }
      }
    }
    for network in try await engine.networks(filters: ["label": ["\(Labels.cluster)=\(clusterID)", Labels.network]]) {
      guard network.value.labels[Labels.cluster] == clusterID else { continue }
      isAny = true
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
      isAny = true
      try await engine.removeNetwork(network.id)
    }
    return isAny
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

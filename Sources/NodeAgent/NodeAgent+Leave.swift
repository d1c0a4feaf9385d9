// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import EngineClient

extension NodeAgent {
  /// Removes every container of the cluster and the ingress network. Call it when `run` has ended; may be called again.
  package static func leave(engine: any Engine, clusterID: String) async throws {
    let containers = try await engine.containers(all: true, labels: ["\(Labels.cluster)=\(clusterID)"])
    try await withThrowingDiscardingTaskGroup { group in
      for container in containers where container.labels[Labels.cluster] == clusterID {
        group.addTask { try await absentIsFine { try await engine.removeContainer(container.id, force: true, volumes: true) } }
      }
    }
    try await absentIsFine {
      let network = try await engine.network(IngressNetwork.name)
      if network.labels[Labels.cluster] == clusterID { try await engine.removeNetwork(network.id) }
    }
  }

  private static func absentIsFine(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let error as EngineError where error.code == .notFound {}
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Registry credentials and tasks")
struct RegistryAuthTests {
  private static let (old, new) = (Sealed(bytes: [1]), Sealed(bytes: [2]))

  private static func cluster(
    behaviour: (inout SimulatedBehaviour) -> Void = { _ in }, spec body: (inout ServiceSpec) -> Void = { _ in }
  ) -> SimulatedCluster {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    behaviour(&cluster.behaviour)
    cluster.create(replicas: 2) { spec in
      spec.taskTemplate.registryAuth = old
      body(&spec)
    }
    return cluster
  }

  @Test("changed alone they replace no task that has its image, and the next task of each slot has them")
  func running() {
    var cluster = Self.cluster()
    cluster.run(for: .seconds(30))
    let before = Set(cluster.live.map(\.id))
    cluster.update { $0.taskTemplate.registryAuth = Self.new }
    cluster.run(for: .seconds(30))
    #expect(Set(cluster.live.map(\.id)) == before && cluster.updateStatus == nil)
    #expect(cluster.live.allSatisfy { $0.template.spec.registryAuth == Self.old })
    cluster.crash(slot: 1)
    cluster.run(for: .seconds(30))
    #expect(cluster.live.map(\.template.spec.registryAuth) == [Self.new, Self.old])
  }

  @Test("changed while tasks still pull they make them begin anew; the same ones do not", arguments: [old, new])
  func pulling(auth: Sealed) {
    var cluster = Self.cluster(
      behaviour: { $0.prepare = 60...60 }, spec: { $0.updateConfig = UpdateConfig(parallelism: 0) })
    cluster.run(for: .seconds(5))
    let before = Set(cluster.tasks.map(\.id))
    cluster.update { $0.taskTemplate.registryAuth = auth }
    cluster.run(for: .seconds(200))
    #expect(cluster.live.count == 2 && cluster.live.allSatisfy { $0.template.spec.registryAuth == auth })
    #expect(before.isSuperset(of: cluster.live.map(\.id)) == (auth == Self.old))
  }

  @Test("changed after a pull has failed for good they give the task another chance")
  func failed() {
    var cluster = Self.cluster(
      behaviour: { $0.prepareFailure = 1 }, spec: { $0.restart = RestartPolicy(condition: "none") })
    cluster.run(for: .seconds(60))
    #expect(cluster.tasks.map(\.state) == [.rejected, .rejected])
    cluster.behaviour.prepareFailure = 0
    cluster.update { $0.taskTemplate.registryAuth = Self.new }
    cluster.run(for: .seconds(60))
    #expect(cluster.live.map(\.template.spec.registryAuth) == [Self.new, Self.new])
  }

  @Test("an automatic rollback brings back those of the previous spec")
  func rolledBack() {
    var cluster = Self.cluster(spec: { $0.updateConfig = UpdateConfig(parallelism: 1, failureAction: "rollback") })
    cluster.run(for: .seconds(30))
    cluster.behaviour.prepareFailure = 1
    cluster.update { spec in
      spec.taskTemplate.registryAuth = Self.new
      spec.taskTemplate.containerSpec?.image = "web:2"
    }
    cluster.run(for: .seconds(3))
    cluster.behaviour.prepareFailure = 0
    cluster.run(for: .seconds(120))
    #expect(cluster.updateStatus?.state == .rollbackCompleted)
    #expect(cluster.store.services["id-web"]?.spec.taskTemplate.registryAuth == Self.old)
    #expect(cluster.live.map(\.template.spec.registryAuth) == [Self.old, Self.old])
  }
}

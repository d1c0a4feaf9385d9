// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit

/// What the tests of the control plane ask of a simulated cluster.
extension SimulatedCluster {
  /// A service `web` without ports, its spec changed by `body`.
  mutating func create(replicas: UInt64 = 1, _ body: (inout ServiceSpec) -> Void = { _ in }) {
    var spec = ServiceSpec(
      name: "web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web:1")), mode: .replicated(replicas))
    body(&spec)
    var service = Service(id: "id-web", spec: spec, createdAt: .zero)
    service.beginRun(at: .zero)
    write { $0.put(service) }
  }

  /// What `POST /services/web/update` writes.
  mutating func update(_ body: (inout ServiceSpec) -> Void) {
    write { transaction in
      guard var service = transaction.service("id-web") else { return }
      service.previousSpec = service.spec
      body(&service.spec)
      service.updateStatus = nil
      service.beginRun(at: .zero)
      transaction.put(service)
    }
  }

  mutating func change(_ id: String = "n1", _ body: (inout Node) -> Void) {
    write { transaction in
      guard var node = transaction.node(id) else { return }
      body(&node)
      transaction.put(node)
    }
  }

  mutating func keepHistory(_ limit: Int64) {
    write { transaction in
      guard var cluster = transaction.cluster else { return }
      cluster.spec.orchestration.taskHistoryRetentionLimit = limit
      transaction.put(cluster)
    }
  }

  var tasks: [ClusterTask] { store.tasks(ofService: "id-web") }
  var live: [ClusterTask] { tasks.filter { $0.state == .running && $0.desiredState == .running } }
  var updateStatus: Service.UpdateStatus? { store.services["id-web"]?.updateStatus }

  /// Ends the container of the slot's task that runs.
  mutating func crash(slot: Int = 1, exitCode: Int = 137) {
    if let task = live.last(where: { $0.slot == slot }) { crash(task.id, exitCode: exitCode) }
  }
}

extension ServiceSpec {
  var restart: RestartPolicy? {
    get { taskTemplate.restartPolicy }
    set { taskTemplate.restartPolicy = newValue }
  }
}

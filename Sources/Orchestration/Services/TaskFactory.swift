// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Makes tasks of a service's current spec, all sharing one template.
struct TaskFactory {
  let service: Service
  let now: Now
  private let template: TaskTemplate

  init(_ service: Service, tasks: some Sequence<ClusterTask>, now: Now) {
    self.service = service
    self.now = now
    let key = TaskTemplate.Key(serviceID: service.id, specVersion: service.version)
    template =
      tasks.first { $0.template.key == key }?.template
      ?? TaskTemplate(
        key: key, serviceName: service.name, serviceLabels: service.spec.labels, spec: service.spec.taskTemplate,
        endpointSpec: service.spec.endpointSpec, ports: service.endpoint?.ports ?? [])
  }

  /// Ports are allocated before any task is made, so a new task waits for the scheduler only.
  func make(
    _ slot: SlotID, desired: TaskState, generator: inout some RandomNumberGenerator
  ) -> ClusterTask {
    ClusterTask(
      id: Identifier.make(using: &generator), template: template, slot: slot.slot, nodeID: slot.nodeID, desiredState: desired,
      status: TaskStatus(state: .pending, timestamp: now.wall, message: "pending task scheduling"), createdAt: now.wall)
  }
}

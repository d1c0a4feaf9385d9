// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Makes tasks of a service's current spec, all sharing one template.
struct TaskFactory {
  let service: Service
  let now: Now
  private let template: TaskTemplate
  /// When the newest task of each slot was made.
  private let newest: [SlotID: Timestamp]

  init(_ service: Service, tasks: some Sequence<ClusterTask>, now: Now) {
    self.service = service
    self.now = now
    newest = Dictionary(tasks.map { ($0.slotID, $0.createdAt) }, uniquingKeysWith: max)
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
      status: TaskStatus(state: .pending, timestamp: now.wall, message: "pending task scheduling"),
      jobIteration: service.jobIteration, createdAt: creationTime(in: slot))
  }

  /// Tasks are told apart by age: a new one is the youngest of its slot, and of the update under way, also after the wall clock was
  /// set back.
  private func creationTime(in slot: SlotID) -> Timestamp {
    let previous = newest[slot].map { $0 + .nanoseconds(1) } ?? now.wall
    let update = service.isUpdating ? service.updateStatus?.startedAt ?? now.wall : now.wall
    return max(now.wall, previous, update)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A task's status on the wire.
package struct StatusPart: Codable, Sendable, Hashable {
  package var state: TaskState
  package var timestamp: Timestamp
  package var message: String?
  package var err: String?
  package var containerID: String?
  package var pid: Int
  package var exitCode: Int
  package var hostPorts: [PortConfig]?
  package var isReady: Bool

  package init(_ status: TaskStatus) {
    state = status.state
    timestamp = status.timestamp
    message = status.message
    err = status.err
    containerID = status.containerID
    pid = status.pid
    exitCode = status.exitCode
    hostPorts = status.hostPorts
    isReady = status.isReady
  }

  package var status: TaskStatus {
    TaskStatus(
      state: state, timestamp: timestamp, message: message ?? "", err: err ?? "", containerID: containerID ?? "", pid: pid,
      exitCode: exitCode, hostPorts: hostPorts ?? [], isReady: isReady)
  }
}

/// A task on the wire; its template travels apart, once for all tasks that share it.
package struct TaskPart: Codable, Sendable, Hashable {
  package var id: String
  package var template: TaskTemplate.Key
  package var slot: Int
  package var nodeID: String
  package var desiredState: TaskState
  package var status: StatusPart
  package var drain: TaskState?
  package var ingressAddress: IPv4Address?
  /// Absent from managers of releases without overlay networks.
  package var addresses: [NetworkAddress]?
  package var genericResources: [GenericResource]?
  package var isEvicted: Bool
  /// Absent from managers of releases without jobs, and for what is none.
  package var jobIteration: UInt64?
  package var createdAt: Timestamp
  package var updatedAt: Timestamp
  package var version: UInt64

  init(_ task: ClusterTask) {
    id = task.id
    template = task.template.key
    slot = task.slot
    nodeID = task.nodeID
    desiredState = task.desiredState
    status = StatusPart(task.status)
    drain = task.drain?.desiredState
    ingressAddress = task.ingressAddress
    addresses = task.addresses
    genericResources = task.genericResources
    isEvicted = task.isEvicted
    jobIteration = task.jobIteration
    createdAt = task.createdAt
    updatedAt = task.updatedAt
    version = task.version
  }

  func task(_ template: TaskTemplate) -> ClusterTask {
    var task = ClusterTask(
      id: id, template: template, slot: slot, nodeID: nodeID, desiredState: desiredState, status: status.status,
      jobIteration: jobIteration, createdAt: createdAt)
    task.drain = drain.map { .init(desiredState: $0) }
    task.ingressAddress = ingressAddress
    task.addresses = addresses ?? []
    task.genericResources = genericResources ?? []
    task.isEvicted = isEvicted
    task.updatedAt = updatedAt
    task.version = version
    return task
  }
}

/// A service's spec as its tasks run it, on the wire and in a node's file.
package struct TemplatePart: Codable, Sendable, Hashable {
  package var key: TaskTemplate.Key
  package var serviceName: String
  package var serviceLabels: [String: String]
  package var spec: TaskSpec
  package var endpointSpec: EndpointSpec?
  package var ports: [PortConfig]?
  /// Registry credentials, open: over the wire only, which is encrypted. A node seals them with a key of its own.
  package var registryAuth: String?
  /// The same, sealed: in a node's file only.
  package var sealedAuth: Sealed?

  init(_ template: TaskTemplate) {
    key = template.key
    serviceName = template.serviceName
    serviceLabels = template.serviceLabels
    spec = template.spec
    endpointSpec = template.endpointSpec
    ports = template.ports
  }

  func template(_ auth: Sealed?) -> TaskTemplate {
    var spec = spec
    spec.registryAuth = auth
    return TaskTemplate(
      key: key, serviceName: serviceName, serviceLabels: serviceLabels, spec: spec, endpointSpec: endpointSpec,
      ports: ports ?? [])
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What has changed since a watcher last looked, coalesced: its size is bounded by the number of objects, however slow the watcher.
package struct DirtySet: Sendable, Hashable {
  /// Services whose spec, status or tasks changed, removed ones included.
  package var serviceIDs: Set<String> = []
  /// Nodes that changed, and nodes whose tasks did.
  package var nodeIDs: Set<String> = []
  /// Nodes that changed themselves.
  package var changedNodeIDs: Set<String> = []
  /// Networks that changed, and those that something else which changed has an address on.
  package var networkIDs: Set<String> = []
  /// Networks that changed themselves.
  package var changedNetworkIDs: Set<String> = []
  /// Secrets and configs.
  package var payloadIDs: Set<String> = []
  package var cluster = false

  package init() {}

  package var isEmpty: Bool {
    serviceIDs.isEmpty && nodeIDs.isEmpty && networkIDs.isEmpty && payloadIDs.isEmpty && !cluster
  }

  /// Takes in one applied transaction. `before` is the state it was applied to, which still knows what was removed.
  package mutating func insert(_ changes: [Change], before: ClusterStore) {
    for change in changes { insert(change, before: before) }
  }

  private mutating func insert(_ change: Change, before: ClusterStore) {
    switch change {
    case .cluster: cluster = true
    case .node(let node): insert(nodeID: node.id)
    case .removeNode(let id): insert(nodeID: id)
    case .service(let service): insert(service.id, [service, before.services[service.id]])
    case .removeService(let id): insert(id, [before.services[id]])
    case .task(let task): insert(task, before.tasks[task.id])
    case .removeTask(let id): if let task = before.tasks[id] { insert(task) }
    case .attachment(let attachment): insert(attachment)
    case .removeAttachment(let id): if let attachment = before.attachments[id] { insert(attachment) }
    case .payload(let payload): payloadIDs.insert(payload.id)
    case .removePayload(let id): payloadIDs.insert(id)
    case .network(let network): insert(networkID: network.id)
    case .removeNetwork(let id): insert(networkID: id)
    }
  }

  private mutating func insert(_ serviceID: String, _ states: [Service?]) {
    serviceIDs.insert(serviceID)
    for service in states.lazy.compactMap({ $0 }) {
      networkIDs.formUnion((service.endpoint?.virtualIPs ?? []).map(\.networkID))
      networkIDs.formUnion((service.spec.taskTemplate.networks ?? []).compactMap(\.target))
    }
  }

  private mutating func insert(_ task: ClusterTask, _ old: ClusterTask? = nil) {
    insert(serviceID: task.serviceID, nodeID: task.nodeID)
    for given in task.addresses + (old?.addresses ?? []) { networkIDs.insert(given.networkID) }
  }

  private mutating func insert(_ attachment: Attachment) {
    networkIDs.insert(attachment.networkID)
    nodeIDs.insert(attachment.nodeID)
  }

  private mutating func insert(networkID: String) {
    networkIDs.insert(networkID)
    changedNetworkIDs.insert(networkID)
  }

  private mutating func insert(nodeID: String) {
    nodeIDs.insert(nodeID)
    changedNodeIDs.insert(nodeID)
  }

  private mutating func insert(serviceID: String, nodeID: String) {
    serviceIDs.insert(serviceID)
    if !nodeID.isEmpty { nodeIDs.insert(nodeID) }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel
package import ClusterStore

/// Derives from the committed state what a node is told of its overlay networks.
package enum OverlayNetworks {
  /// The networks that the node's tasks, and containers that are none, are on.
  package static func ids(ofNode id: String, in store: ClusterStore) -> Set<String> {
    let tasks = store.tasks(onNode: id).lazy.filter { !$0.state.isTerminal }.flatMap { $0.addresses.map(\.networkID) }
    return Set(tasks).union(store.attachments.values.filter { $0.nodeID == id }.map(\.networkID))
  }

  /// `nil` for a network that there is not.
  package static func network(_ id: String, in store: ClusterStore) -> OverlayNetwork? {
    guard let network = store.networks[id] else { return nil }
    let page = store.addresses[id]
    let tasks = page.taskIDs.compactMap { store.tasks[$0] }.filter { !$0.nodeID.isEmpty }.sortedBySlotAndAge()
    let attachments = page.attachmentIDs.compactMap { store.attachments[$0] }
    let endpoints = tasks.compactMap { endpoint($0, on: id) } + attachments.map(endpoint)
    let services = Set(tasks.map(\.serviceID)).union(page.serviceIDs)
    return OverlayNetwork(
      id: id, name: network.name, tunnel: network.tunnel, subnet: network.subnet, gateway: network.gateway,
      isInternal: network.spec.isInternal, labels: network.spec.labels, options: network.spec.options,
      endpoints: endpoints.sorted { $0.address < $1.address },
      services: services.compactMap { store.services[$0] }.map { service($0, on: id, tasks) }.sorted { $0.sortKey < $1.sortKey })
  }

  private static func endpoint(_ task: ClusterTask, on network: String) -> OverlayEndpoint? {
    guard let address = task.address(on: network) else { return nil }
    let container = String(task.status.containerID.prefix(12))
    // What an engine calls a container that has no name of its own.
    let hostname = task.template.spec.containerSpec?.hostname ?? ""
    let names = [task.name, container, hostname.contains("{") ? "" : hostname].filter { !$0.isEmpty }
    return OverlayEndpoint(id: task.id, names: names, address: address, nodeID: task.nodeID)
  }

  private static func endpoint(_ attachment: Attachment) -> OverlayEndpoint {
    OverlayEndpoint(
      id: attachment.container, names: attachment.names + attachment.aliases, address: attachment.address,
      nodeID: attachment.nodeID)
  }

  private static func service(_ service: Service, on network: String, _ tasks: [ClusterTask]) -> OverlayService {
    let ready = tasks.filter { $0.serviceID == service.id && $0.takesTraffic }
    let aliases = service.spec.taskTemplate.networks?.first { $0.target == network }?.aliases ?? []
    return OverlayService(
      id: service.id, names: [service.name] + aliases.filter { $0 != service.name },
      virtualIP: service.endpoint?.virtualIPs?.first { $0.networkID == network }?.address,
      strategy: service.spec.labels[Labels.strategy].flatMap { Strategy(label: $0) } ?? .standard,
      endpoints: ready.compactMap { $0.address(on: network) })
  }
}

extension ClusterTask {
  fileprivate func address(on network: String) -> IPv4Address? { addresses.first { $0.networkID == network }?.address }

  /// New connections may go to it.
  fileprivate var takesTraffic: Bool { isServing && drain == nil && status.isReady }
}

extension OverlayService {
  fileprivate var sortKey: String { names.first.map { "\($0)\n\(id)" } ?? id }
}

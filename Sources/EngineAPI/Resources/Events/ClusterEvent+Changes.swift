// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

extension ClusterEvent {
  /// The events of one transaction. `before` is the state it was applied to, `now` the time of what has no time of its own.
  package static func events(of changes: [Change], before: ClusterStore, now: Timestamp) -> [ClusterEvent] {
    changes.compactMap { event(of: $0, before, now) }
  }

  /// Tasks have no events: what becomes of them shows in the engine's events of their containers.
  private static func event(of change: Change, _ before: ClusterStore, _ now: Timestamp) -> ClusterEvent? {
    switch change {
    case .cluster(let cluster): before.cluster == nil ? ingress(of: cluster) : nil
    case .node(let node): event(.node, node, before.nodes[node.id], now)
    case .service(let service): event(.service, service, before.services[service.id], now)
    case .removeNode(let id): before.nodes[id].map { removal(.node, $0, now) }
    case .removeService(let id): before.services[id].map { removal(.service, $0, now) }
    case .network(let network): event(.network, network, before.networks[network.id], now)
    case .removeNetwork(let id): before.networks[id].map { removal(.network, $0, now) }
    case .payload(let payload): event(Kind(payload.kind), payload, before.payloads[payload.id], now)
    case .removePayload(let id): before.payloads[id].map { removal(Kind($0.kind), $0, now) }
    case .task, .removeTask, .attachment, .removeAttachment: nil
    }
  }

  private static func event<Object: EventObject>(_ kind: Kind, _ new: Object, _ old: Object?, _ now: Timestamp) -> ClusterEvent? {
    guard let old else {
      return ClusterEvent(kind, .create, id: new.id, attributes: ["name": new.eventName], time: new.createdAt)
    }
    guard new.shown != old.shown else { return nil }
    // Writes of the control loops leave `UpdatedAt` alone: it is then older than what happened.
    let time = new.updatedAt == old.updatedAt ? now : new.updatedAt
    return ClusterEvent(kind, .update, id: new.id, attributes: attributes(new, old), time: time)
  }

  /// A value that was not there before is told without `.old`.
  private static func attributes(_ new: some EventObject, _ old: some EventObject) -> [String: String] {
    var attributes = ["name": new.eventName]
    for (key, value) in new.eventValues where value != old.eventValues[key] {
      attributes["\(key).old"] = old.eventValues[key]
      attributes["\(key).new"] = value
    }
    return attributes
  }

  private static func removal(_ kind: Kind, _ object: some EventObject, _ now: Timestamp) -> ClusterEvent {
    ClusterEvent(kind, .remove, id: object.id, attributes: ["name": object.eventName], time: now)
  }

  private static func ingress(of cluster: Cluster) -> ClusterEvent {
    ClusterEvent(
      .network, .create, id: IngressNetwork(of: cluster).id, attributes: ["name": IngressNetwork.name], time: cluster.createdAt)
  }
}

/// What of an object its events tell.
private protocol EventObject: Equatable {
  var id: String { get }
  var createdAt: Timestamp { get }
  var updatedAt: Timestamp { get }
  var eventName: String { get }
  /// Told when they change.
  var eventValues: [String: String] { get }
  /// Without what the API never shows: nobody would find what was updated. The version is given out only when a write is applied.
  var shown: Self { get }
}

extension Node: EventObject {
  fileprivate var eventName: String {
    guard let name = spec.name, !name.isEmpty else { return description?.hostname ?? "" }
    return name
  }

  /// With one manager, who leads and who can be reached never changes.
  fileprivate var eventValues: [String: String] {
    ["availability": spec.availability, "role": isManager ? "manager" : "worker", "state": status.state.rawValue]
  }

  fileprivate var shown: Node {
    var node = self
    (node.ingressSubnet, node.version) = (nil, 0)
    return node
  }
}

extension Network: EventObject {
  fileprivate var eventName: String { name }
  fileprivate var eventValues: [String: String] { [:] }

  fileprivate var shown: Network {
    var network = self
    network.version = 0
    return network
  }
}

extension Payload: EventObject {
  fileprivate var eventName: String { name }
  fileprivate var eventValues: [String: String] { [:] }

  fileprivate var shown: Payload {
    var payload = self
    payload.version = 0
    return payload
  }
}

extension ClusterEvent.Kind {
  fileprivate init(_ kind: PayloadKind) { self = kind == .secret ? .secret : .config }
}

extension Service: EventObject {
  fileprivate var eventName: String { name }

  fileprivate var eventValues: [String: String] {
    var values: [String: String] = [:]
    values["image"] = spec.taskTemplate.containerSpec.map { $0.image ?? "" }
    values["replicas"] = spec.mode.replicated.map { String($0.replicas ?? 0) }
    values["updatestate"] = updateStatus?.state.rawValue
    return values
  }

  fileprivate var shown: Service {
    var service = self
    if service.endpoint?.ports.isEmpty == true { service.endpoint = nil }
    service.version = 0
    return service
  }
}

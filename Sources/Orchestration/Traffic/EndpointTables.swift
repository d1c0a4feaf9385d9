// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel
package import ClusterStore

/// Derives the endpoint table from the committed state: a listener for every published ingress port, ready tasks of the whole cluster
/// behind it, those on their way out marked as draining.
package enum EndpointTables {
  package static func listeners(of store: ClusterStore) -> [Listener] {
    store.services.keys.sorted().flatMap { listeners(ofService: $0, in: store) }
  }

  /// Those of one service: they depend on it and its tasks, and on nothing else. None for a service that there is not.
  package static func listeners(ofService id: String, in store: ClusterStore) -> [Listener] {
    guard let service = store.services[id] else { return [] }
    let ports = (service.endpoint?.ports ?? []).filter(\.isIngress)
    guard !ports.isEmpty else { return [] }
    let tasks = store.tasks(ofService: service.id)
    let strategy = service.spec.labels[Labels.strategy].flatMap { Strategy(label: $0) } ?? .standard
    let form = Listener(
      id: service.id, port: 0, strategy: strategy, limits: limits(of: service.spec),
      mayOffload: service.spec.labels[Labels.offload] != "off")
    return ports.compactMap { listener($0, form, tasks) }
  }

  private static func limits(of spec: ServiceSpec) -> ListenerLimits {
    ListenerLimits(
      connections: spec.labels[Labels.maxConnections].flatMap { UInt32($0) },
      idle: spec.labels[Labels.idleTimeout].flatMap { GoDuration($0)?.duration })
  }

  /// `form` has the service's id, and what all its listeners share.
  private static func listener(_ port: PortConfig, _ form: Listener, _ tasks: [ClusterTask]) -> Listener? {
    guard let published = port.publishedPort.flatMap(UInt16.init(exactly:)), published > 0,
      let transport = Transport(name: port.transport)
    else { return nil }
    var listener = form
    (listener.port, listener.transport) = (published, transport)
    listener.id = Listener.id(service: form.id, port: ListenerPort(transport, published))
    listener.endpoints = tasks.compactMap { endpoint($0, transport, target: port.targetPort) }
    return listener
  }

  private static func endpoint(_ task: ClusterTask, _ transport: Transport, target: UInt32?) -> Endpoint? {
    guard let address = task.ingressAddress, let port = target.flatMap(UInt16.init(exactly:)),
      task.publishes(transport, target: port),
      task.isServing
    else { return nil }
    if task.drain != nil { return Endpoint(id: task.id, address: address, port: port, state: .draining) }
    return task.status.isReady ? Endpoint(id: task.id, address: address, port: port) : nil
  }
}

extension ClusterTask {
  fileprivate func publishes(_ transport: Transport, target: UInt16) -> Bool {
    template.ingressPorts.contains { $0.transport == transport.description && $0.targetPort == UInt32(target) }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A set of writes over one state of the store. Reads see the transaction's own writes; nothing else does before it is committed.
package struct Transaction {
  let base: ClusterStore
  private(set) var written: [Key: Change] = [:]
  /// In the order of the first write, so that a prefix of a batch is always a state that could have been.
  private(set) var order: [Key] = []
  /// Rises with every write, so that what was derived from the state can be kept while nothing changes.
  package private(set) var writeCount = 0
  /// Tasks that the base does not have, by service, and those that it has not there, by node.
  private var addedTasks: [String: Set<String>] = [:]
  private var addedByNode: [String: Set<String>] = [:]
  /// Of the services that are written; what the base says of these is void.
  private var publications = Publications()
  private var writtenServices: Set<String> = []
  /// Of the state with what is written.
  package internal(set) var addresses: AddressBook
  private var writesTasks = false

  enum Key: Hashable {
    case cluster, node(String), service(String), task(String), network(String), attachment(String), payload(String)
  }

  package init(over base: ClusterStore) {
    self.base = base
    addresses = base.addresses
  }

  package var isEmpty: Bool { order.isEmpty }
  /// Version of the state the transaction started from.
  package var baseVersion: UInt64 { base.version }
}

extension Transaction {
  package var cluster: Cluster? {
    if case .cluster(let cluster) = written[.cluster] { cluster } else { base.cluster }
  }

  package func node(_ id: String) -> Node? {
    switch written[.node(id)] {
    case .node(let node): node
    case .removeNode: nil
    default: base.nodes[id]
    }
  }

  package func service(_ id: String) -> Service? {
    switch written[.service(id)] {
    case .service(let service): service
    case .removeService: nil
    default: base.services[id]
    }
  }

  package func task(_ id: String) -> ClusterTask? {
    switch written[.task(id)] {
    case .task(let task): task
    case .removeTask: nil
    default: base.tasks[id]
    }
  }

  package func service(named name: String) -> Service? {
    let wanted = name.lowercased()
    for case .service(let service) in written.values where service.name.lowercased() == wanted { return service }
    guard let found = base.service(named: name) else { return nil }
    return service(found.id).flatMap { $0.name.lowercased() == wanted ? $0 : nil }
  }

  /// Ids of services that publish the port, by their spec or by what the allocator gave.
  package func serviceIDs(publishing port: PublishedPort) -> Set<String> {
    base.publications.services(with: port).subtracting(writtenServices).union(publications.services(with: port))
  }

  /// Whether another service than `id` publishes the port.
  package func isPublished(_ port: PublishedPort, besides id: String) -> Bool {
    publications.services(with: port).contains { $0 != id }
      || base.publications.services(with: port).contains { $0 != id && !writtenServices.contains($0) }
  }

  package func isTaken(_ address: IPv4Address) -> Bool {
    !publications.services(at: address).isEmpty || !base.publications.services(at: address).isSubset(of: writtenServices)
  }

  /// The task as it was before this transaction: what everybody else sees.
  package func committedTask(_ id: String) -> ClusterTask? { base.tasks[id] }

  /// Sorted by id.
  package var nodes: [Node] {
    var ids = Set(base.nodes.keys)
    for case .node(let node) in written.values { ids.insert(node.id) }
    return ids.compactMap { node($0) }.sorted { $0.id < $1.id }
  }

  /// Sorted by id.
  package var services: [Service] {
    var ids = Set(base.services.keys)
    for case .service(let service) in written.values { ids.insert(service.id) }
    return ids.compactMap { service($0) }.sorted { $0.id < $1.id }
  }

  /// Sorted by slot, then age, then id.
  package func tasks(ofService id: String) -> [ClusterTask] {
    unorderedTasks(ofService: id).sortedBySlotAndAge()
  }

  /// For looking through only: the order differs from run to run, and a decision must not depend on it.
  package func unorderedTasks(ofService id: String) -> [ClusterTask] {
    tasks(base.unorderedTasks(ofService: id), addedTasks[id] ?? [])
  }

  /// Sorted by slot, then age, then id.
  package func tasks(onNode id: String) -> [ClusterTask] {
    unorderedTasks(onNode: id).sortedBySlotAndAge()
  }

  /// For looking through only, as with a service's.
  package func unorderedTasks(onNode id: String) -> [ClusterTask] {
    let tasks = tasks(base.unorderedTasks(onNode: id), addedByNode[id] ?? [])
    return writesTasks ? tasks.filter { $0.nodeID == id } : tasks
  }

  /// - Parameter added: ids that are not among the others.
  private func tasks(_ known: [String: ClusterTask], _ added: Set<String>) -> [ClusterTask] {
    guard writesTasks else { return Array(known.values) }
    var found: [ClusterTask] = []
    found.reserveCapacity(known.count + added.count)
    for (id, task) in known {
      switch written[.task(id)] {
      case .task(let task): found.append(task)
      case .removeTask: break
      default: found.append(task)
      }
    }
    for id in added { if let task = task(id) { found.append(task) } }
    return found
  }

  /// Nodes that are written, and those whose tasks are.
  package var writtenNodeIDs: Set<String> {
    written.values.reduce(into: []) { ids, change in
      switch change {
      case .node(let node): ids.insert(node.id)
      case .removeNode(let id): ids.insert(id)
      case .task(let task): if !task.nodeID.isEmpty { ids.insert(task.nodeID) }
      case .removeTask(let id): if let task = base.tasks[id], !task.nodeID.isEmpty { ids.insert(task.nodeID) }
      case .cluster, .service, .removeService, .network, .removeNetwork, .attachment, .removeAttachment, .payload, .removePayload:
        break
      }
    }
  }

  /// Every service that has a spec or tasks left.
  package var knownServiceIDs: [String] { base.knownServiceIDs.union(addedTasks.keys).sorted() }
}

extension Transaction {
  package mutating func put(_ cluster: Cluster) { record(.cluster, .cluster(cluster)) }
  package mutating func put(_ node: Node) { record(.node(node.id), .node(node)) }
  package mutating func put(_ service: Service) {
    unpublish(service.id)
    publications.insert(service)
    addresses.replace(self.service(service.id), by: service)
    record(.service(service.id), .service(service))
  }

  package mutating func put(_ task: ClusterTask) {
    writesTasks = true
    if !task.addresses.isEmpty { addresses.replace(self.task(task.id), by: task) }
    let old = base.tasks[task.id]
    if old == nil { addedTasks[task.serviceID, default: []].insert(task.id) }
    if !task.nodeID.isEmpty, old?.nodeID != task.nodeID { addedByNode[task.nodeID, default: []].insert(task.id) }
    record(.task(task.id), .task(task))
  }

  package mutating func removeNode(_ id: String) { record(.node(id), .removeNode(id)) }
  package mutating func removeService(_ id: String) {
    unpublish(id)
    addresses.replace(service(id), by: nil)
    record(.service(id), .removeService(id))
  }
  package mutating func removeTask(_ id: String) {
    writesTasks = true
    addresses.replace(task(id), by: nil)
    record(.task(id), .removeTask(id))
  }

  private mutating func unpublish(_ id: String) {
    if case .service(let old) = written[.service(id)] { publications.remove(old) }
    writtenServices.insert(id)
  }

  mutating func record(_ key: Key, _ change: Change) {
    writeCount += 1
    if written.updateValue(change, forKey: key) == nil { order.append(key) }
  }
}

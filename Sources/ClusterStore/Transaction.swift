// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A set of writes over one state of the store. Reads see the transaction's own writes; nothing else does before it is committed.
package struct Transaction {
  private let base: ClusterStore
  private var written: [Key: Change] = [:]
  /// In the order of the first write, so that a prefix of a batch is always a state that could have been.
  private var order: [Key] = []
  /// Rises with every write, so that what was derived from the state can be kept while nothing changes.
  package private(set) var writeCount = 0
  private var addedTasks: [String: Set<String>] = [:]
  private var addedByNode: [String: Set<String>] = [:]
  /// Of the services that are written; what the base says of these is void.
  private var publications = Publications()
  private var writtenServices: Set<String> = []

  private enum Key: Hashable { case cluster, node(String), service(String), task(String) }

  package init(over base: ClusterStore) { self.base = base }

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
    unorderedTasks(ofService: id).sorted(by: ClusterTask.bySlotAndAge)
  }

  /// For looking through only: the order differs from run to run, and a decision must not depend on it.
  package func unorderedTasks(ofService id: String) -> [ClusterTask] {
    let ids = base.taskIDs(ofService: id)
    guard let added = addedTasks[id] else { return ids.compactMap { task($0) } }
    return ids.union(added).compactMap { task($0) }
  }

  /// Sorted by slot, then age, then id.
  package func tasks(onNode id: String) -> [ClusterTask] {
    unorderedTasks(onNode: id).sorted(by: ClusterTask.bySlotAndAge)
  }

  /// For looking through only, as with a service's.
  package func unorderedTasks(onNode id: String) -> [ClusterTask] {
    base.taskIDs(onNode: id).union(addedByNode[id] ?? []).compactMap { task($0) }.filter { $0.nodeID == id }
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
    record(.service(service.id), .service(service))
  }

  package mutating func put(_ task: ClusterTask) {
    addedTasks[task.serviceID, default: []].insert(task.id)
    if !task.nodeID.isEmpty { addedByNode[task.nodeID, default: []].insert(task.id) }
    record(.task(task.id), .task(task))
  }

  package mutating func removeNode(_ id: String) { record(.node(id), .removeNode(id)) }
  package mutating func removeService(_ id: String) {
    unpublish(id)
    record(.service(id), .removeService(id))
  }
  package mutating func removeTask(_ id: String) { record(.task(id), .removeTask(id)) }

  private mutating func unpublish(_ id: String) {
    if case .service(let old) = written[.service(id)] { publications.remove(old) }
    writtenServices.insert(id)
  }

  private mutating func record(_ key: Key, _ change: Change) {
    writeCount += 1
    if written.updateValue(change, forKey: key) == nil { order.append(key) }
  }
}

extension Transaction {
  /// One proposal, atomic. Throws when it is larger than a transaction may be.
  package consuming func atomicProposal() throws -> Proposal {
    let proposals = try proposals(objectLimit: .max, byteLimit: .max)
    guard let proposal = proposals.first else { return Proposal(changes: [], writes: []) }
    guard proposal.changes.count <= TransactionLimit.objects, proposal.byteCount <= TransactionLimit.bytes else {
      throw TransactionLimit.Exceeded(objects: proposal.changes.count, bytes: proposal.byteCount)
    }
    return proposal
  }

  /// As many proposals as the limit asks for, to be committed one after the other; any first few of them make a consistent state.
  package consuming func batchedProposals() throws -> [Proposal] {
    try proposals(objectLimit: TransactionLimit.objects, byteLimit: TransactionLimit.bytes)
  }

  private func proposals(objectLimit: Int, byteLimit: Int) throws -> [Proposal] {
    var encoder = ChangeEncoder(base: base)
    var proposals: [Proposal] = []
    var changes: [Change] = []
    var writes: [RecordWrite] = []
    var bytes = 0
    for key in order {
      guard let change = written[key] else { continue }
      let records = try encoder.encode(change)
      if records.isEmpty { continue }
      let size = records.reduce(0) { $0 + $1.byteCount }
      if !changes.isEmpty, changes.count == objectLimit || bytes + size > byteLimit {
        proposals.append(Proposal(changes: changes, writes: writes))
        (changes, writes, bytes) = ([], [], 0)
      }
      changes.append(change)
      writes += records
      bytes += size
    }
    if !changes.isEmpty { proposals.append(Proposal(changes: changes, writes: writes)) }
    return proposals
  }
}

/// What one transaction may hold, fixed from the start because etcd limits a transaction.
package enum TransactionLimit {
  package static let objects = 64
  package static let bytes = 1 << 20

  package struct Exceeded: Error, CustomStringConvertible {
    package var objects: Int
    package var bytes: Int
    package var description: String {
      "a transaction of \(objects) objects and \(bytes) bytes is larger than \(TransactionLimit.objects) objects or \(TransactionLimit.bytes) bytes"
    }
  }
}

extension RecordWrite {
  var byteCount: Int { key.utf8.count + (value?.count ?? 0) }
}

extension Proposal {
  var byteCount: Int { writes.reduce(0) { $0 + $1.byteCount } }
}

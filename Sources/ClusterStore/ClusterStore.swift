// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The whole state of a cluster in memory, with indexes: a value, changed only by applying what was committed.
///
/// Its single writer runs `transaction`, makes the proposal durable, and applies it; readers see whole transactions only.
package struct ClusterStore: Sendable {
  /// Version number of the last applied transaction.
  package private(set) var version: UInt64
  package private(set) var cluster: Cluster?
  package private(set) var nodes: [String: Node] = [:]
  package private(set) var services: [String: Service] = [:]
  package private(set) var networks: [String: Network] = [:]
  package private(set) var attachments: [String: Attachment] = [:]
  /// Secrets and configs.
  package private(set) var payloads: [String: Payload] = [:]
  package private(set) var tasks: [String: ClusterTask] = [:]
  private(set) var templates: [TaskTemplate.Key: TemplateUse] = [:]
  /// Services by id, without a look at the services themselves.
  package private(set) var serviceIndex = ServiceIndex()
  private(set) var publications = Publications()
  package private(set) var addresses = AddressBook()
  private var serviceIDs: [String: String] = [:]
  private var tasksByService: [String: ServiceTasks] = [:]
  private var tasksByNode: [String: [String: ClusterTask]] = [:]

  struct TemplateUse: Sendable {
    var template: TaskTemplate
    var tasks: Int
  }

  /// The tasks of one service, counted.
  private struct ServiceTasks: Sendable {
    var byID: [String: ClusterTask] = [:]
    var counts = TaskCounts()
  }

  package init(version: UInt64 = 0) { self.version = version }

  /// Case-insensitive, as names are unique without regard to case.
  package func service(named name: String) -> Service? { serviceIDs[name.lowercased()].flatMap { services[$0] } }

  /// Case-insensitive too; there are few.
  package func network(named name: String) -> Network? {
    let wanted = name.lowercased()
    return networks.values.first { $0.name.lowercased() == wanted }
  }

  /// In no particular order.
  package func taskIDs(ofService id: String) -> Set<String> { Set(unorderedTasks(ofService: id).keys) }
  package func taskIDs(onNode id: String) -> Set<String> { Set(unorderedTasks(onNode: id).keys) }

  /// By id.
  func unorderedTasks(ofService id: String) -> [String: ClusterTask] { tasksByService[id]?.byID ?? [:] }
  func unorderedTasks(onNode id: String) -> [String: ClusterTask] { tasksByNode[id] ?? [:] }

  package func taskCounts(ofService id: String) -> TaskCounts { tasksByService[id]?.counts ?? TaskCounts() }

  /// Sorted by slot, then age, then id.
  package func tasks(ofService id: String) -> [ClusterTask] { Array(unorderedTasks(ofService: id).values).sortedBySlotAndAge() }
  package func tasks(onNode id: String) -> [ClusterTask] { Array(unorderedTasks(onNode: id).values).sortedBySlotAndAge() }

  /// Services that have tasks or a spec.
  package var knownServiceIDs: Set<String> { Set(services.keys).union(tasksByService.keys) }
}

/// How many of a service's tasks run, and how many are to.
package struct TaskCounts: Sendable, Hashable {
  package fileprivate(set) var running = 0
  package fileprivate(set) var desiredRunning = 0

  package init() {}

  fileprivate mutating func add(_ task: ClusterTask, _ number: Int = 1) {
    if task.state == .running { running += number }
    if task.desiredState == .running { desiredRunning += number }
  }
}

extension ClusterTask {
  package static func bySlotAndAge(_ left: ClusterTask, _ right: ClusterTask) -> Bool {
    (left.slot, left.createdAt, left.id) < (right.slot, right.createdAt, right.id)
  }
}

extension Array<ClusterTask> {
  /// As by `ClusterTask.bySlotAndAge`, for many: what is compared is read once.
  package func sortedBySlotAndAge() -> [ClusterTask] {
    guard count > 1 else { return self }
    var order = enumerated().map { (slot: $1.slot, createdAt: $1.createdAt, index: $0) }
    order.sort { left, right in
      if left.slot != right.slot { return left.slot < right.slot }
      if left.createdAt != right.createdAt { return left.createdAt < right.createdAt }
      return self[left.index].id < self[right.index].id
    }
    return order.map { self[$0.index] }
  }
}

extension ClusterStore {
  /// Applies what is durable and returns it with its version numbers filled in. `version` must be higher than any before.
  @discardableResult
  package mutating func apply(_ proposal: Proposal, version: UInt64) -> [Change] {
    self.version = version
    return proposal.changes.map { apply($0, version: version, writesSpec: proposal.writesSpec($0)) }
  }

  private mutating func apply(_ change: Change, version: UInt64, writesSpec: Bool) -> Change {
    switch change {
    case .cluster(var object):
      object.version = version
      cluster = object
      return .cluster(object)
    case .node(var object):
      if writesSpec { object.version = version }
      nodes[object.id] = object
      return .node(object)
    case .service(var object):
      if writesSpec { object.version = version }
      if let old = services[object.id] { forget(old) }
      insert(object, writtenAt: version)
      return .service(object)
    case .task(var object):
      object.version = version
      insert(object)
      return .task(object)
    case .removeNode(let id): nodes[id] = nil
    case .removeService(let id):
      if let old = services.removeValue(forKey: id) { forget(old) }
      serviceIndex.remove(id)
    case .removeTask(let id): remove(taskID: id)
    case .network(var object):
      object.version = version
      networks[object.id] = object
      return .network(object)
    case .removeNetwork(let id): networks[id] = nil
    case .attachment(let object): insert(object)
    case .payload(var object):
      object.version = version
      payloads[object.id] = object
      return .payload(object)
    case .removePayload(let id): payloads[id] = nil
    case .removeAttachment(let id): addresses.replace(attachments.removeValue(forKey: id), by: nil)
    }
    return change
  }

  mutating func insert(_ task: ClusterTask) {
    let old = tasks.updateValue(task, forKey: task.id)
    addresses.replace(old, by: task)
    if let old {
      if old.nodeID != task.nodeID { tasksByNode[old.nodeID]?[task.id] = nil }
      tasksByService[old.serviceID]?.counts.add(old, -1)
    } else {
      templates[task.template.key, default: TemplateUse(template: task.template, tasks: 0)].tasks += 1
    }
    tasksByService[task.serviceID, default: ServiceTasks()].byID[task.id] = task
    tasksByService[task.serviceID]?.counts.add(task)
    if !task.nodeID.isEmpty { tasksByNode[task.nodeID, default: [:]][task.id] = task }
  }

  private mutating func insert(_ service: Service, writtenAt version: UInt64) {
    services[service.id] = service
    serviceIDs[service.name.lowercased()] = service.id
    serviceIndex.insert(.init(id: service.id, writtenAt: version))
    publications.insert(service)
    addresses.replace(nil, by: service)
  }

  private mutating func insert(_ attachment: Attachment) {
    addresses.replace(attachments.updateValue(attachment, forKey: attachment.id), by: attachment)
  }

  private mutating func forget(_ service: Service) {
    serviceIDs[service.name.lowercased()] = nil
    publications.remove(service)
    addresses.replace(service, by: nil)
  }

  private mutating func remove(taskID id: String) {
    guard let old = tasks.removeValue(forKey: id) else { return }
    addresses.replace(old, by: nil)
    tasksByService[old.serviceID]?.byID[id] = nil
    tasksByService[old.serviceID]?.counts.add(old, -1)
    if tasksByService[old.serviceID]?.byID.isEmpty == true { tasksByService[old.serviceID] = nil }
    tasksByNode[old.nodeID]?[id] = nil
    templates[old.template.key]?.tasks -= 1
    if templates[old.template.key]?.tasks == 0 { templates[old.template.key] = nil }
  }

  mutating func load(_ object: Cluster) { cluster = object }
  mutating func load(_ object: Attachment) { insert(object) }
  mutating func load(_ object: Payload) { payloads[object.id] = object }
  mutating func load(_ object: Network) { networks[object.id] = object }
  mutating func load(_ object: Node) { nodes[object.id] = object }
  mutating func load(_ object: Service, writtenAt version: UInt64) { insert(object, writtenAt: version) }
}

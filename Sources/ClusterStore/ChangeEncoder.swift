// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Turns changes into records: only parts that differ from the base are written, and templates come and go with their tasks.
struct ChangeEncoder {
  let base: ClusterStore
  private var templateUses: [TaskTemplate.Key: Int] = [:]

  init(base: ClusterStore) { self.base = base }

  mutating func encode(_ change: Change) throws -> [RecordWrite] {
    switch change {
    case .cluster(let cluster):
      guard cluster != base.cluster else { return [] }
      return [RecordWrite(key: RecordKey.cluster, value: try ObjectRecords.encode(cluster.part))]
    case .node(let node): return try encode(node)
    case .service(let service): return try encode(service)
    case .task(let task): return try encode(task)
    case .removeNode(let id):
      return base.nodes[id] == nil
        ? [] : [.init(key: RecordKey.nodeSpec(id), value: nil), .init(key: RecordKey.nodeStatus(id), value: nil)]
    case .removeService(let id):
      return base.services[id] == nil
        ? [] : [.init(key: RecordKey.serviceSpec(id), value: nil), .init(key: RecordKey.serviceStatus(id), value: nil)]
    case .removeTask(let id): return removeTask(id)
    case .network(let network):
      guard network != base.networks[network.id] else { return [] }
      return [.init(key: RecordKey.network(network.id), value: try ObjectRecords.encode(network.part))]
    case .attachment(let attachment):
      guard attachment != base.attachments[attachment.id] else { return [] }
      return [.init(key: RecordKey.attachment(attachment.id), value: try ObjectRecords.encode(attachment))]
    case .removeAttachment(let id):
      return base.attachments[id] == nil ? [] : [.init(key: RecordKey.attachment(id), value: nil)]
    case .payload(let payload): return try encode(payload)
    case .removePayload(let id):
      return base.payloads[id].map { [RecordKey.payloadSpec($0.kind, id), RecordKey.payloadData($0.kind, id)] }?
        .map { .init(key: $0, value: nil) } ?? []
    case .removeNetwork(let id): return base.networks[id] == nil ? [] : [.init(key: RecordKey.network(id), value: nil)]
    }
  }

  private func encode(_ node: Node) throws -> [RecordWrite] {
    let old = base.nodes[node.id]
    var writes: [RecordWrite] = []
    if old?.specPart != node.specPart {
      writes.append(.init(key: RecordKey.nodeSpec(node.id), value: try ObjectRecords.encode(node.specPart)))
    }
    if old?.statusPart != node.statusPart {
      writes.append(.init(key: RecordKey.nodeStatus(node.id), value: try ObjectRecords.encode(node.statusPart)))
    }
    return writes
  }

  private func encode(_ payload: Payload) throws -> [RecordWrite] {
    let old = base.payloads[payload.id]
    guard old != payload else { return [] }
    let spec = RecordWrite(
      key: RecordKey.payloadSpec(payload.kind, payload.id), value: try ObjectRecords.encode(payload.part))
    if old?.data == payload.data { return [spec] }
    return [spec, .init(key: RecordKey.payloadData(payload.kind, payload.id), value: payload.data.bytes)]
  }

  private func encode(_ service: Service) throws -> [RecordWrite] {
    let old = base.services[service.id]
    var writes: [RecordWrite] = []
    if old?.specPart != service.specPart {
      writes.append(.init(key: RecordKey.serviceSpec(service.id), value: try ObjectRecords.encode(service.specPart)))
    }
    // A service without a record of its status has none yet.
    if (old?.statusPart ?? .init()) != service.statusPart {
      writes.append(.init(key: RecordKey.serviceStatus(service.id), value: try ObjectRecords.encode(service.statusPart)))
    }
    return writes
  }

  private mutating func encode(_ task: ClusterTask) throws -> [RecordWrite] {
    guard let old = base.tasks[task.id] else {
      var writes: [RecordWrite] = []
      if use(task.template.key, 1) == 1 {
        writes.append(.init(key: RecordKey.template(task.template.key), value: try ObjectRecords.encode(task.template.part)))
      }
      return writes + [.init(key: RecordKey.task(task.id), value: TaskRecord.encode(task))]
    }
    return old == task ? [] : [.init(key: RecordKey.task(task.id), value: TaskRecord.encode(task))]
  }

  private mutating func removeTask(_ id: String) -> [RecordWrite] {
    guard let old = base.tasks[id] else { return [] }
    let key = old.template.key
    var writes = [RecordWrite(key: RecordKey.task(id), value: nil)]
    if use(key, -1) == 0 { writes.append(.init(key: RecordKey.template(key), value: nil)) }
    return writes
  }

  /// How many tasks use the template after the change.
  private mutating func use(_ key: TaskTemplate.Key, _ difference: Int) -> Int {
    templateUses[key, default: base.templates[key]?.tasks ?? 0] += difference
    return templateUses[key] ?? 0
  }
}

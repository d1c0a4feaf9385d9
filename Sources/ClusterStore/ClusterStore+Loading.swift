// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension ClusterStore {
  /// Rebuilds the state from its records. Throws `RecordError` with the record's key: nothing that cannot be read is ever dropped.
  package init(loading snapshot: StoreSnapshot) throws {
    self.init(version: snapshot.epochBase + snapshot.revision)
    let records = Dictionary(snapshot.records.map { ($0.key, $0) }) { $1 }
    var templates: [TaskTemplate.Key: TaskTemplate] = [:]
    for record in snapshot.records.sorted(by: { $0.key < $1.key }) {
      do {
        try load(record, from: records, base: snapshot.epochBase, templates: &templates)
      } catch {
        throw RecordError("record \(record.key) cannot be read: \(error)")
      }
    }
  }

  private mutating func load(
    _ record: StoredRecord, from records: [String: StoredRecord], base: UInt64, templates: inout [TaskTemplate.Key: TaskTemplate]
  ) throws {
    let version = base + record.revision
    let parts = record.key.split(separator: "/").map(String.init)
    switch (parts.first, parts.count, parts.last) {
    case ("cluster", 1, _):
      load(try Cluster(part: ObjectRecords.decode(ObjectRecords.ClusterPart.self, record.value), version: version))
    case ("node", 3, "spec"):
      let status = try records[RecordKey.nodeStatus(parts[1])].map {
        try ObjectRecords.decode(ObjectRecords.NodeStatusPart.self, $0.value)
      }
      let spec = try ObjectRecords.decode(ObjectRecords.NodeSpecPart.self, record.value)
      load(Node(id: parts[1], spec: spec, status: status, version: version))
    case ("service", 3, "spec"):
      let statusRecord = records[RecordKey.serviceStatus(parts[1])]
      let status = try statusRecord.map { try ObjectRecords.decode(ObjectRecords.ServiceStatusPart.self, $0.value) }
      let spec = try ObjectRecords.decode(ObjectRecords.ServiceSpecPart.self, record.value)
      load(
        Service(id: parts[1], spec: spec, status: status, version: version),
        writtenAt: max(version, base + (statusRecord?.revision ?? 0)))
    case ("network", 2, _):
      load(Network(id: parts[1], part: try ObjectRecords.decode(ObjectRecords.NetworkPart.self, record.value), version: version))
    case ("attachment", 2, _): load(try ObjectRecords.decode(Attachment.self, record.value))
    case (PayloadKind.secret.rawValue, 3, "spec"), (PayloadKind.config.rawValue, 3, "spec"):
      load(try Self.payload(parts[0], parts[1], record, from: records, version: version))
    case ("task", 2, _):
      let key = try TaskRecord.templateKey(of: record.value)
      let template = try templates[key] ?? Self.template(key, from: records)
      templates[key] = template
      var task = try TaskRecord.decode(record.value, id: parts[1], template: template)
      task.version = version
      insert(task)
    case ("node", 3, "status"), ("service", 3, "status"), ("template", 3, _): break
    case (PayloadKind.secret.rawValue, 3, "data"), (PayloadKind.config.rawValue, 3, "data"): break
    default: throw RecordError("this release does not know its kind: use the release that wrote it")
    }
  }

  private static func payload(
    _ kind: String, _ id: String, _ record: StoredRecord, from records: [String: StoredRecord], version: UInt64
  ) throws -> Payload {
    guard let kind = PayloadKind(rawValue: kind), let data = records[RecordKey.payloadData(kind, id)] else {
      throw RecordError("its data is missing")
    }
    let part = try ObjectRecords.decode(ObjectRecords.PayloadPart.self, record.value)
    return Payload(kind, id: id, part: part, data: data.value, version: version)
  }

  private static func template(_ key: TaskTemplate.Key, from records: [String: StoredRecord]) throws -> TaskTemplate {
    guard let record = records[RecordKey.template(key)] else {
      throw RecordError("its spec \(RecordKey.template(key)) is missing")
    }
    return TaskTemplate(key: key, part: try ObjectRecords.decode(ObjectRecords.TemplatePart.self, record.value))
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// An assignment on its way: complete, or what is different from the one before.
package struct AssignmentMessage: Codable, Sendable, Hashable {
  /// 1 for the first of a stream, and one more each time.
  package var sequence: Int64
  /// Whether everything is in it; otherwise it goes on from the message before.
  package var isComplete: Bool
  package var clusterID: String
  package var nodeID: String
  package var term: UInt64
  package var ingressSubnet: String?
  /// Of the tasks below, those that the node does not have yet.
  package var templates: [TemplatePart]?
  /// New and changed ones.
  package var tasks: [TaskPart]?
  package var removed: [String]?
  /// In the table's own coding; absent when it is the same.
  package var table: Sealed?
  /// Absent when it is the same; without a node in it when there is none any more.
  package var mesh: MeshPart?
  /// New and changed ones, each whole.
  package var networks: [OverlayNetwork]?
  package var removedNetworks: [String]?
  /// New ones.
  package var payloads: [PayloadPart]?
  package var removedPayloads: [String]?

  package struct MeshPart: Codable, Sendable, Hashable {
    package var mesh: Mesh?
  }
}

extension AssignmentMessage {
  /// What turns `last` into `assignment`; `nil` for everything. `open` gives the registry credentials of a template, `openPayload` the
  /// data of a secret or a config; one that cannot be opened does not go.
  package init(
    _ assignment: Assignment, after last: Assignment?, sequence: Int64,
    openPayload: (AssignedPayload) -> [UInt8]? = { _ in nil }, open: (TaskTemplate) -> String?
  ) {
    let known = Dictionary((last?.tasks ?? []).map { ($0.id, $0) }) { first, _ in first }
    let changed = assignment.tasks.filter { known[$0.id] != $0 }
    let present = Set(assignment.tasks.map(\.id))
    var seen = Set((last?.tasks ?? []).map(\.template.key))
    self.sequence = sequence
    isComplete = last == nil
    clusterID = assignment.clusterID
    nodeID = assignment.nodeID
    term = assignment.term
    ingressSubnet = assignment.ingressSubnet?.description
    templates = changed.filter { seen.insert($0.template.key).inserted }.map { task in
      var part = TemplatePart(task.template)
      part.registryAuth = open(task.template)
      return part
    }
    tasks = changed.map(TaskPart.init)
    removed = known.keys.filter { !present.contains($0) }.sorted()
    if last?.table != assignment.table { table = Sealed(bytes: assignment.table.encoded()) }
    if last?.mesh != assignment.mesh { mesh = MeshPart(mesh: assignment.mesh) }
    addNetworks(assignment.networks, after: last?.networks ?? [])
    addPayloads(assignment.payloads, after: last?.payloads ?? [], openPayload)
  }
}

extension AssignmentMessage {
  private mutating func addNetworks(_ present: [OverlayNetwork], after last: [OverlayNetwork]) {
    let known = Dictionary(last.map { ($0.id, $0) }) { first, _ in first }
    let changed = present.filter { known[$0.id] != $0 }
    let gone = Set(known.keys).subtracting(present.map(\.id)).sorted()
    networks = changed.isEmpty ? nil : changed
    removedNetworks = gone.isEmpty ? nil : gone
  }

  private mutating func addPayloads(
    _ present: [AssignedPayload], after last: [AssignedPayload], _ open: (AssignedPayload) -> [UInt8]?
  ) {
    let known = Set(last.map(\.id))
    let new = present.filter { !known.contains($0.id) }.compactMap { payload in
      open(payload).map { PayloadPart(payload, open: $0) }
    }
    let gone = known.subtracting(present.map(\.id)).sorted()
    payloads = new.isEmpty ? nil : new
    removedPayloads = gone.isEmpty ? nil : gone
  }
}

/// Puts a node's assignment together from the messages of a stream, and from the node's file.
package struct AssignmentAssembler {
  /// Why a message does not go with those before it: the stream is to be begun anew.
  package struct Gap: Error, CustomStringConvertible {
    package var description: String
  }

  private var templates: [TaskTemplate.Key: TaskTemplate] = [:]
  private var tasks: [String: ClusterTask] = [:]
  private var table = EndpointTable(generation: 0)
  private var mesh: Mesh?
  private var networks: [String: OverlayNetwork] = [:]
  private var payloads: [String: AssignedPayload] = [:]
  private var sequence: Int64 = 0

  package init() {}

  /// `seal` is for registry credentials that came open, `sealPayload` for secrets and configs, which always do.
  package mutating func take(
    _ message: AssignmentMessage, sealPayload: (_ data: [UInt8], _ kind: PayloadKind, _ id: String) throws -> Sealed = neverOpen,
    seal: (_ auth: String, _ serviceID: String) throws -> Sealed
  ) throws -> Assignment {
    if message.isComplete { self = AssignmentAssembler() } else { try check(message) }
    sequence = message.sequence
    for part in message.templates ?? [] {
      templates[part.key] = part.template(try part.registryAuth.map { try seal($0, part.key.serviceID) } ?? part.sealedAuth)
    }
    for id in message.removed ?? [] { tasks[id] = nil }
    for part in message.tasks ?? [] {
      guard let template = templates[part.template] else { throw Gap(description: "the spec of task \(part.id) is missing") }
      tasks[part.id] = part.task(template)
    }
    if let bytes = message.table?.bytes { table = try EndpointTable(decoding: bytes) }
    if let part = message.mesh { mesh = part.mesh }
    for id in message.removedNetworks ?? [] { networks[id] = nil }
    for network in message.networks ?? [] { networks[network.id] = network }
    for id in message.removedPayloads ?? [] { payloads[id] = nil }
    for part in message.payloads ?? [] {
      payloads[part.id] = part.payload(try sealPayload(part.data.bytes, part.kind, part.id))
    }
    let used = Set(tasks.values.map(\.template.key))
    templates = templates.filter { used.contains($0.key) }
    return Assignment(
      clusterID: message.clusterID, nodeID: message.nodeID, term: message.term,
      tasks: tasks.values.sorted { ($0.slot, $0.createdAt, $0.id) < ($1.slot, $1.createdAt, $1.id) },
      ingressSubnet: message.ingressSubnet.flatMap { IPv4Subnet($0) }, table: table, mesh: mesh,
      networks: networks.values.sorted { $0.id < $1.id }, payloads: payloads.values.sorted { $0.id < $1.id })
  }

  /// Where no secrets and configs can come.
  package static func neverOpen(_ data: [UInt8], _ kind: PayloadKind, _ id: String) throws -> Sealed {
    throw Gap(description: "\(kind.rawValue) \(id) open where none may be")
  }

  private func check(_ message: AssignmentMessage) throws(Gap) {
    guard message.sequence == sequence + 1 else {
      throw Gap(description: "assignment \(message.sequence) came after \(sequence)")
    }
  }
}

extension Assignment {
  /// The form of a node's own file: complete, credentials sealed as they are. Secrets and configs are not in it: who goes on from it
  /// starts no task, and what runs has its files.
  package func stored() throws -> [UInt8] {
    var message = AssignmentMessage(self, after: nil, sequence: 1) { _ in nil }
    let sealed = Dictionary(tasks.map { ($0.template.key, $0.template.spec.registryAuth) }) { first, _ in first }
    message.templates = message.templates?.map { part in
      var part = part
      part.sealedAuth = sealed[part.key] ?? nil
      return part
    }
    return try GoJSONEncoder().bytes(message)
  }

  /// Reads what `stored` wrote.
  package init(stored bytes: [UInt8]) throws {
    var assembler = AssignmentAssembler()
    self = try assembler.take(try GoJSONDecoder().decode(AssignmentMessage.self, from: bytes)) { _, service in
      throw AssignmentAssembler.Gap(description: "open credentials of service \(service) in a file")
    }
  }
}

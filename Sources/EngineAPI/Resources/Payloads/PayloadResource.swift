// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Writes of secrets and configs, over a transaction.
package enum PayloadResource {
  /// What of `payload` can be checked by itself has been.
  package static func create(_ payload: Payload, in transaction: inout Transaction) throws(SpecError) {
    let wanted = payload.name.lowercased()
    guard !transaction.payloads(payload.kind).contains(where: { $0.name.lowercased() == wanted }) else {
      throw SpecError(rpc: .alreadyExists, "\(payload.kind.rawValue) \(payload.name) already exists")
    }
    transaction.put(payload)
  }

  /// Labels only; `data` may be absent, or what it was.
  package static func update(
    _ kind: PayloadKind, _ id: String, name: String, labels: [String: String], data: Sealed?, version: UInt64, now: Timestamp,
    in transaction: inout Transaction
  ) throws(SpecError) {
    guard var payload = find(kind, id, in: transaction) else {
      throw SpecError(rpc: .notFound, "\(kind.rawValue) \(id) not found")
    }
    guard payload.name == name, data == nil || data == payload.data else {
      throw .invalidArgument("only updates to Labels are allowed")
    }
    guard version == payload.version else { throw SpecError(rpc: .unknown, "update out of sequence") }
    payload.spec.labels = labels
    payload.updatedAt = now
    transaction.put(payload)
  }

  /// What a service's present spec names stays.
  package static func remove(_ kind: PayloadKind, _ id: String, in transaction: inout Transaction) throws(SpecError) {
    guard let payload = find(kind, id, in: transaction) else {
      throw SpecError(rpc: .notFound, "could not find \(kind.rawValue) \(id)")
    }
    let users = transaction.services.filter { $0.spec.taskTemplate.references(kind).contains { $0.id == id } }.map(\.name)
    guard users.isEmpty else {
      let noun = users.count == 1 ? "service" : "services"
      throw .invalidArgument(
        "\(kind.rawValue) '\(payload.name)' is in use by the following \(noun): \(users.joined(separator: ", "))")
    }
    transaction.removePayload(id)
  }

  /// Whether all that a spec names is there, under that name.
  static func check(_ spec: ServiceSpec, in transaction: borrowing Transaction) throws(SpecError) {
    for kind in PayloadKind.allCases {
      var missing: [String] = []
      for reference in spec.taskTemplate.references(kind) {
        if find(kind, reference.id, in: transaction)?.name != reference.name { missing.append(reference.name) }
      }
      if missing.isEmpty { continue }
      let noun = missing.count == 1 ? kind.rawValue : "\(kind.rawValue)s"
      throw .invalidArgument("\(noun) not found: \(missing.joined(separator: ", "))")
    }
  }

  private static func find(_ kind: PayloadKind, _ id: String, in transaction: borrowing Transaction) -> Payload? {
    transaction.payload(id).flatMap { $0.kind == kind ? $0 : nil }
  }
}

extension TaskSpec {
  fileprivate func references(_ kind: PayloadKind) -> [PayloadReference] { containerSpec?.payloadReferences(kind) ?? [] }
}

extension ClusterStore {
  package func lookUpPayload(_ kind: PayloadKind, _ reference: String) throws(APIError) -> Payload {
    let all = payloads.values.filter { $0.kind == kind }
    let wanted = reference.lowercased()
    return try Lookup.find(
      reference, kind: kind.rawValue, exact: all.first { $0.id == reference },
      named: { all.filter { $0.name.lowercased() == wanted } }, all: { all }, id: \.id)
  }
}

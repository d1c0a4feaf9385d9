// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Secrets and configs.
extension Transaction {
  package func payload(_ id: String) -> Payload? {
    switch written[.payload(id)] {
    case .payload(let payload): payload
    case .removePayload: nil
    default: base.payloads[id]
    }
  }

  /// Sorted by id.
  package func payloads(_ kind: PayloadKind) -> [Payload] {
    var ids = Set(base.payloads.keys)
    for case .payload(let payload) in written.values { ids.insert(payload.id) }
    return ids.compactMap { payload($0) }.filter { $0.kind == kind }.sorted { $0.id < $1.id }
  }

  package mutating func put(_ payload: Payload) { record(.payload(payload.id), .payload(payload)) }
  package mutating func removePayload(_ id: String) { record(.payload(id), .removePayload(id)) }
}

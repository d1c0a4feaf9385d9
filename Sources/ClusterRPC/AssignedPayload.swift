// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A secret or a config as a node has it. It has no `version`: what a node needs of it never changes.
package struct AssignedPayload: Sendable, Hashable {
  package var kind: PayloadKind
  package var id: String
  package var name: String
  /// The template driver's name, if it is a template.
  package var templating: String?
  /// With the sealer of whoever holds it: the managers', or the node's own.
  package var data: Sealed

  package init(kind: PayloadKind, id: String, name: String, templating: String? = nil, data: Sealed) {
    self.kind = kind
    self.id = id
    self.name = name
    self.templating = templating
    self.data = data
  }

  package init(_ payload: Payload) {
    self.init(
      kind: payload.kind, id: payload.id, name: payload.name, templating: payload.spec.templating.map { $0.name ?? "" },
      data: payload.data)
  }
}

/// The same on the wire, which is encrypted, and nowhere else: its data is open.
package struct PayloadPart: Codable, Sendable, Hashable {
  package var kind: PayloadKind
  package var id: String
  package var name: String
  package var templating: String?
  /// In base64, as any bytes in a message.
  package var data: Sealed

  init(_ payload: AssignedPayload, open data: [UInt8]) {
    kind = payload.kind
    id = payload.id
    name = payload.name
    templating = payload.templating
    self.data = Sealed(bytes: data)
  }

  func payload(_ data: Sealed) -> AssignedPayload {
    AssignedPayload(kind: kind, id: id, name: name, templating: templating, data: data)
  }
}

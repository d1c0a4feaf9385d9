// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Overlay networks, and who is on them without a service.
extension Transaction {
  package func network(_ id: String) -> Network? {
    switch written[.network(id)] {
    case .network(let network): network
    case .removeNetwork: nil
    default: base.networks[id]
    }
  }

  package func attachment(_ id: String) -> Attachment? {
    switch written[.attachment(id)] {
    case .attachment(let attachment): attachment
    case .removeAttachment: nil
    default: base.attachments[id]
    }
  }

  /// Those of a node before this transaction; sorted by id.
  package func committedAttachments(onNode id: String) -> [Attachment] {
    base.attachments.values.filter { $0.nodeID == id }.sorted { $0.id < $1.id }
  }

  /// Sorted by id.
  package var networks: [Network] {
    var ids = Set(base.networks.keys)
    for case .network(let network) in written.values { ids.insert(network.id) }
    return ids.compactMap { network($0) }.sorted { $0.id < $1.id }
  }

  package mutating func put(_ attachment: Attachment) {
    addresses.replace(self.attachment(attachment.id), by: attachment)
    record(.attachment(attachment.id), .attachment(attachment))
  }

  package mutating func removeAttachment(_ id: String) {
    addresses.replace(attachment(id), by: nil)
    record(.attachment(id), .removeAttachment(id))
  }

  package mutating func put(_ network: Network) { record(.network(network.id), .network(network)) }
  package mutating func removeNetwork(_ id: String) { record(.network(id), .removeNetwork(id)) }
}

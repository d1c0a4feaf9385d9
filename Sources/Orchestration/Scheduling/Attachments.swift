// SPDX-License-Identifier: Apache-2.0

import Balancing
package import ClusterModel
package import ClusterStore

/// Containers that users put on overlay networks. Everything given is in the store.
package enum Attachments {
  /// A container that its node has not told of by then was never made.
  static let patience = Duration.seconds(120)

  /// Gives a container an address on a network, or finds the one it has; the attachment. Throws in swarm's words.
  ///
  /// - Parameter wanted: the address asked for; `nil` for any.
  package static func attach(
    _ container: String, to reference: String, node: String, address wanted: IPv4Address?, aliases: [String], now: Timestamp,
    in transaction: inout Transaction
  ) throws(SpecError) -> Attachment {
    let networks = transaction.networks
    guard let network = networks.first(where: { $0.id == reference }) ?? networks.first(where: { $0.name == reference }) else {
      throw SpecError(rpc: .notFound, "network \(reference) not found")
    }
    guard network.spec.isAttachable else {
      throw SpecError(rpc: .permissionDenied, "network \(network.name) not manually attachable")
    }
    if let known = transaction.attachment(Attachment.id(container, network.id)), known.nodeID == node { return known }
    if let wanted { transaction.forgetUnused(wanted, on: network.id, of: node) }
    let page = transaction.addresses[network.id]
    if let wanted {
      let isUsable = network.subnet.contains(wanted) && wanted != network.gateway && wanted != network.subnet.base
      guard isUsable, wanted != network.subnet.last, !page.isTaken(wanted) else {
        throw .failedPrecondition("address \(wanted) is not free on network \(network.name)")
      }
    }
    guard let address = wanted ?? page.next(in: network) else {
      throw .failedPrecondition("no free address on network \(network.name)")
    }
    let attachment = Attachment(
      container: container, networkID: network.id, nodeID: node, address: address, aliases: aliases, createdAt: now)
    transaction.put(attachment)
    return attachment
  }

  /// A node's containers, all of them, with their names by container: attachments of others end, but for those just made.
  ///
  /// - Parameter networks: by container, those that it is on.
  package static func report(
    _ names: [String: [String]], networks: [String: Set<String>], of node: String, now: Timestamp,
    in transaction: inout Transaction
  ) {
    for var attachment in transaction.committedAttachments(onNode: node) {
      let isThere = networks[attachment.container]?.contains(attachment.networkID) ?? false
      if !isThere, attachment.createdAt + patience < now || !attachment.names.isEmpty {
        transaction.removeAttachment(attachment.id)
      } else if let names = names[attachment.container], isThere, names != attachment.names {
        attachment.names = names
        transaction.put(attachment)
      }
    }
  }
}

extension Transaction {
  /// Lets go of an address that was asked for by a container which was not made, as it seems: its image was not there, and it is asked
  /// for again.
  fileprivate mutating func forgetUnused(_ address: IPv4Address, on network: String, of node: String) {
    let attachments = addresses[network].attachmentIDs.compactMap(attachment)
    for old in attachments where old.address == address && old.nodeID == node && old.names.isEmpty { removeAttachment(old.id) }
  }
}

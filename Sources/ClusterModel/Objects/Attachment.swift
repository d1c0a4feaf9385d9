// SPDX-License-Identifier: Apache-2.0

/// A container's place on an overlay network that no service gave it: `docker run --network` and `docker network connect`.
package struct Attachment: Codable, Sendable, Hashable {
  /// Of all attachments of one container: its label `skep.attachment`, or its engine's id for one without.
  package var container: String
  package var networkID: String
  package var nodeID: String
  package var address: IPv4Address
  /// What it is called on this network alone.
  package var aliases: [String]
  /// What its engine calls it; empty until it is known.
  package var names: [String]
  package var createdAt: Timestamp

  package init(
    container: String, networkID: String, nodeID: String, address: IPv4Address, aliases: [String] = [], createdAt: Timestamp
  ) {
    self.container = container
    self.networkID = networkID
    self.nodeID = nodeID
    self.address = address
    self.aliases = aliases
    names = []
    self.createdAt = createdAt
  }

  /// Another container's on the network, or the container's on another network, has another one.
  package var id: String { Self.id(container, networkID) }
  package static func id(_ container: String, _ networkID: String) -> String { "\(container)@\(networkID)" }
}

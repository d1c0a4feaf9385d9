// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// The node's ways to other nodes' containers, as the agent sees them.
package protocol NodeNetworks: Sendable {
  /// Returns when it is in force, or cannot be now and is tried again. Only the newest counts; `nil` is for a node without.
  func want(_ mesh: Mesh?, _ overlays: [OverlayNetwork]) async

  /// A bridge of an overlay network has been made, maybe. Returns when the network's tunnel is a port of it.
  func bridgesChanged() async

  /// This node's running containers on overlay networks, all of them at every change. Returns when services' addresses work in them, or
  /// cannot now and are tried again.
  func attend(_ containers: Set<OverlayContainer>) async

  /// Traffic goes to these addresses, of this node or others.
  func sendsTo(_ addresses: Set<IPv4Address>) async

  /// The subnets of those nodes among the ones traffic goes to that do not answer, all of them at every change. A slow reader gets the
  /// newest only.
  func silentPeers() async -> AsyncStream<Set<IPv4Subnet>>

  /// What a packet to another node's container may have at most, in bytes; `nil` while there is no way there.
  var packetSize: UInt32? { get async }
}

/// A running container on overlay networks.
package struct OverlayContainer: Sendable, Hashable {
  /// That of its endpoints.
  package var id: String
  /// One of its processes.
  package var process: Int
  /// Servers that it asks for names that are not the networks', in place of the host's.
  package var nameservers: [String]

  package init(id: String, process: Int, nameservers: [String] = []) {
    self.id = id
    self.process = process
    self.nameservers = nameservers
  }
}

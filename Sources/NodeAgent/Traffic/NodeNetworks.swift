// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// The node's ways to other nodes' containers, as the agent sees them.
package protocol NodeNetworks: Sendable {
  /// Returns when it is in force, or cannot be now and is tried again. Only the newest counts; `nil` is for a node without.
  func want(_ mesh: Mesh?) async

  /// Traffic goes to these addresses, of this node or others.
  func sendsTo(_ addresses: Set<IPv4Address>) async

  /// The subnets of those nodes among the ones traffic goes to that do not answer, all of them at every change. A slow reader gets the
  /// newest only.
  func silentPeers() async -> AsyncStream<Set<IPv4Subnet>>

  /// What a packet to another node's container may have at most, in bytes; `nil` while there is no way there.
  var packetSize: UInt32? { get async }
}

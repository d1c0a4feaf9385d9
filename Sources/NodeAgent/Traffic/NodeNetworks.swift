// SPDX-License-Identifier: Apache-2.0

package import Balancing

/// The node's ways to other nodes' containers, as the agent sees them.
package protocol NodeNetworks: Sendable {
  /// Returns when it is in force, or cannot be now and is tried again. Only the newest counts; `nil` is for a node without.
  func want(_ mesh: Mesh?) async

  /// What a packet to another node's container may have at most, in bytes; `nil` while there is no way there.
  var packetSize: UInt32? { get async }
}

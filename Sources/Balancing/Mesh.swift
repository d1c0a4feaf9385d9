// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// How a node reaches the containers of the others: every node's containers with ingress ports have addresses of its own subnet, and
/// tunnels lead there.
package struct Mesh: Codable, Hashable, Sendable {
  /// The node itself.
  package var own: Peer
  /// All other nodes, lost ones too; sorted by number.
  package var peers: [Peer]
  /// All subnets are in it.
  package var pool: IPv4Subnet
  /// UDP port of the tunnels.
  package var port: UInt16

  /// Of all nodes that are in it.
  package var nodeIDs: Set<String> { Set(peers.map(\.nodeID)).union([own.nodeID]) }

  package init(own: Peer, peers: [Peer], pool: IPv4Subnet, port: UInt16) {
    self.own = own
    self.peers = peers
    self.pool = pool
    self.port = port
  }
}

/// A host of the cluster, as traffic sees it.
package struct Peer: Codable, Hashable, Sendable {
  /// As many as fit into the bits of a packet's mark that tell peers apart.
  package static let highestNumber = 4_095

  package var nodeID: String
  /// 1 and up; no two nodes have the same, and a node keeps its own for as long as it keeps its ingress subnet.
  package var number: UInt16
  /// Where its end of the tunnel is.
  package var address: IPv4Address
  /// Where the managers see it, if that is another: it may ask from there, too.
  package var other: IPv4Address?
  /// Its part of the ingress pool.
  package var subnet: IPv4Subnet

  package init(nodeID: String, number: UInt16, address: IPv4Address, other: IPv4Address? = nil, subnet: IPv4Subnet) {
    self.nodeID = nodeID
    self.other = other == address ? nil : other
    self.number = number
    self.address = address
    self.subnet = subnet
  }
}

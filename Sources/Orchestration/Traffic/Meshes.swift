// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import ClusterStore

/// Derives from the committed state how nodes reach each other.
package enum Meshes {
  /// `nil` while the node has no IPv4 address or no part of the ingress pool.
  package static func mesh(ofNode id: String, in store: ClusterStore) -> Mesh? {
    let peers = peers(in: store)
    return peers.first { $0.nodeID == id }.flatMap { mesh(of: $0, among: peers, in: store) }
  }

  /// `peers` are all of `peers(in:)`, `own` one of them. `nil` while there is no cluster.
  package static func mesh(of own: Peer, among peers: [Peer], in store: ClusterStore) -> Mesh? {
    guard let cluster = store.cluster else { return nil }
    return Mesh(
      own: own, peers: peers.filter { $0.number != own.number }, pool: cluster.ingressPool,
      port: UInt16(exactly: cluster.dataPathPort) ?? 4_789)
  }

  /// All nodes that have an IPv4 address and a part of the ingress pool; sorted by number.
  package static func peers(in store: ClusterStore) -> [Peer] {
    guard let cluster = store.cluster else { return [] }
    return store.nodes.values.compactMap { peer($0, cluster) }.sorted { $0.number < $1.number }
  }

  /// Its subnet's place in the pool is its number: nobody else has that, and it stays.
  package static func peer(_ node: Node, _ cluster: Cluster) -> Peer? {
    guard let subnet = node.ingressSubnet, let address = node.tunnelAddress else { return nil }
    let place = (subnet.base.bits &- cluster.ingressPool.base.bits) >> UInt32(32 - subnet.prefix) + 1
    guard place <= Peer.highestNumber else { return nil }
    return Peer(nodeID: node.id, number: UInt16(place), address: address, other: IPv4Address(node.status.addr), subnet: subnet)
  }
}

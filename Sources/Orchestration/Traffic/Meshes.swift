// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import ClusterStore

/// Derives from the committed state how nodes reach each other.
package enum Meshes {
  /// `nil` while the node has no IPv4 address or no part of the ingress pool.
  package static func mesh(ofNode id: String, in store: ClusterStore) -> Mesh? {
    guard let cluster = store.cluster, let own = store.nodes[id].flatMap({ peer($0, cluster) }) else { return nil }
    let peers = store.nodes.values.filter { $0.id != id }.compactMap { peer($0, cluster) }
    return Mesh(
      own: own, peers: peers.sorted { $0.number < $1.number }, pool: cluster.ingressPool,
      port: UInt16(exactly: cluster.dataPathPort) ?? 4_789)
  }

  /// Its subnet's place in the pool is its number: nobody else has that, and it stays.
  package static func peer(_ node: Node, _ cluster: Cluster) -> Peer? {
    guard let subnet = node.ingressSubnet, let address = IPv4Address(node.status.addr) else { return nil }
    let place = (subnet.base.bits &- cluster.ingressPool.base.bits) >> UInt32(32 - subnet.prefix) + 1
    guard place <= Peer.highestNumber else { return nil }
    return Peer(nodeID: node.id, number: UInt16(place), address: address, subnet: subnet)
  }
}

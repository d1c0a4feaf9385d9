// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The network behind ingress ports, as swarm shows its own. It is no object of the store: all of it follows from the cluster.
package struct IngressNetwork {
  static let name = "ingress"

  /// Made from the cluster's id, so that it never changes and has the length of every other id.
  package let id: String
  package let subnet: IPv4Subnet
  let createdAt: Timestamp

  package init(of cluster: Cluster) {
    id = Self.name + cluster.id.prefix(Identifier.length - Self.name.count)
    subnet = cluster.ingressPool
    createdAt = cluster.createdAt
  }

  /// Whether a client means this network: by name, by id, or by a beginning of the id that is not the name's.
  func isMeant(by reference: String) -> Bool {
    reference == Self.name || (reference.count > Self.name.count && id.hasPrefix(reference))
  }
}

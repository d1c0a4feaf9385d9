// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// An overlay network as a node with a container on it needs to know it: who is on it anywhere, and what names mean there.
package struct OverlayNetwork: Codable, Hashable, Sendable {
  package var id: String
  package var name: String
  /// VXLAN network identifier, unique in the cluster.
  package var tunnel: UInt32
  package var subnet: IPv4Subnet
  /// Every node's bridge has this address.
  package var gateway: IPv4Address
  /// No way out of it; names are answered all the same.
  package var isInternal: Bool
  package var labels: [String: String]
  /// Driver options, such as `com.docker.network.driver.mtu`.
  package var options: [String: String]
  /// Containers on it, on every node; sorted by address.
  package var endpoints: [OverlayEndpoint]
  /// Sorted by name.
  package var services: [OverlayService]

  package init(
    id: String, name: String, tunnel: UInt32, subnet: IPv4Subnet, gateway: IPv4Address, isInternal: Bool = false,
    labels: [String: String] = [:], options: [String: String] = [:], endpoints: [OverlayEndpoint] = [],
    services: [OverlayService] = []
  ) {
    self.id = id
    self.name = name
    self.tunnel = tunnel
    self.subnet = subnet
    self.gateway = gateway
    self.isInternal = isInternal
    self.labels = labels
    self.options = options
    self.endpoints = endpoints
    self.services = services
  }
}

extension OverlayNetwork {
  /// Without the containers of these nodes, as far as their services have others: what does not answer here may still be all there is.
  package func leavingOut(_ nodeIDs: Set<String>) -> OverlayNetwork {
    let gone = Set(endpoints.filter { nodeIDs.contains($0.nodeID) }.map(\.address))
    if gone.isEmpty { return self }
    var network = self
    var kept: Set<IPv4Address> = []
    for index in services.indices {
      let rest = services[index].endpoints.filter { !gone.contains($0) }
      if rest.isEmpty { kept.formUnion(services[index].endpoints) } else { network.services[index].endpoints = rest }
    }
    network.endpoints.removeAll { gone.contains($0.address) && !kept.contains($0.address) }
    return network
  }
}

/// A container's address on an overlay network.
package struct OverlayEndpoint: Codable, Hashable, Sendable {
  /// Of a task, or of a container that was attached by hand.
  package var id: String
  /// The container's name, and what else it is called on this network alone.
  package var names: [String]
  package var address: IPv4Address
  package var nodeID: String

  package init(id: String, names: [String], address: IPv4Address, nodeID: String) {
    self.id = id
    self.names = names
    self.address = address
    self.nodeID = nodeID
  }
}

/// What a service's names mean on an overlay network.
package struct OverlayService: Codable, Hashable, Sendable {
  package var id: String
  /// The service's name and its aliases on this network.
  package var names: [String]
  /// `nil` with `--endpoint-mode dnsrr`: its names are its endpoints' addresses.
  package var virtualIP: IPv4Address?
  package var strategy: Strategy
  /// Ready tasks of the service by their addresses, in a fixed order: new connections go to them. Those that drain are not among them.
  package var endpoints: [IPv4Address]

  package init(id: String, names: [String], virtualIP: IPv4Address?, strategy: Strategy, endpoints: [IPv4Address]) {
    self.id = id
    self.names = names
    self.virtualIP = virtualIP
    self.strategy = strategy
    self.endpoints = endpoints
  }
}

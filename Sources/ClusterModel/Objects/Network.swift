// SPDX-License-Identifier: Apache-2.0

/// What a user wants of an overlay network.
package struct NetworkSpec: Codable, Sendable, Hashable {
  /// Addresses asked for; absent ones are the allocator's to choose.
  package struct Pool: Codable, Sendable, Hashable {
    package var subnet: String?
    /// The part of the subnet that addresses are given from.
    package var range: String?
    package var gateway: String?

    package init(subnet: String? = nil, range: String? = nil, gateway: String? = nil) {
      self.subnet = subnet
      self.range = range
      self.gateway = gateway
    }
  }

  package var name: String
  package var labels: [String: String]
  /// Driver options, such as `com.docker.network.driver.mtu`.
  package var options: [String: String]
  /// Without a way out.
  package var isInternal: Bool
  /// Containers that are no tasks may be on it.
  package var isAttachable: Bool
  package var pool: Pool

  package init(
    name: String, labels: [String: String] = [:], options: [String: String] = [:], isInternal: Bool = false,
    isAttachable: Bool = false, pool: Pool = Pool()
  ) {
    self.name = name
    self.labels = labels
    self.options = options
    self.isInternal = isInternal
    self.isAttachable = isAttachable
    self.pool = pool
  }
}

/// An overlay network. What was allocated for it is there from its creation on, and stays.
package struct Network: Sendable, Hashable {
  package let id: String
  package var spec: NetworkSpec
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  /// `Version.Index`: the store version of the last write; 0 before the first.
  package var version: UInt64 = 0

  /// VXLAN network identifier, unique in the cluster.
  package let tunnel: UInt32
  package let subnet: IPv4Subnet
  /// Every node's bridge has this address.
  package let gateway: IPv4Address
  /// Addresses are given from here; the subnet or a part of it.
  package let range: IPv4Subnet

  package init(
    id: String, spec: NetworkSpec, createdAt: Timestamp, tunnel: UInt32, subnet: IPv4Subnet, gateway: IPv4Address,
    range: IPv4Subnet
  ) {
    self.id = id
    self.spec = spec
    self.createdAt = createdAt
    self.updatedAt = createdAt
    self.tunnel = tunnel
    self.subnet = subnet
    self.gateway = gateway
    self.range = range
  }

  package var name: String { spec.name }
}

/// What engines call their parts of overlay networks.
extension Network {
  /// The engine's option for the name of a network's bridge.
  package static let bridgeOption = "com.docker.network.bridge.name"

  /// The interface is called after the tunnel, which is a port of it.
  package static func bridge(ofTunnel number: UInt32) -> String { "skep-n\(number)" }

  /// The network's own name. A container's default route goes by the first of its networks in the order of their names, which must be
  /// the ingress network's: a name before that gets something in front.
  package static func engineName(of name: String) -> String { name < firstName ? later + name : name }

  /// The other way round.
  package static func name(ofEngines name: String) -> String {
    let rest = String(name.dropFirst(later.count))
    return name.hasPrefix(later) && rest < firstName ? rest : name
  }

  private static let firstName = "0-skep-ingress~"
  private static let later = "1-skep-"
}

/// An address that somebody has on an overlay network.
package struct NetworkAddress: Codable, Sendable, Hashable {
  package var networkID: String
  package var address: IPv4Address

  package init(networkID: String, address: IPv4Address) {
    self.networkID = networkID
    self.address = address
  }
}

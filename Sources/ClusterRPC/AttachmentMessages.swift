// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

extension NodeMessage {
  /// A container of the node that is no task is to be on an overlay network.
  package struct AttachRequest: Codable, Sendable, Hashable {
    /// `Attachment.container`.
    package var container: String
    /// The network's id or name.
    package var network: String
    /// `nil` for any.
    package var address: IPv4Address?
    package var aliases: [String]?

    package init(container: String, network: String, address: IPv4Address? = nil, aliases: [String] = []) {
      self.container = container
      self.network = network
      self.address = address
      self.aliases = aliases
    }
  }

  package struct AttachReply: Codable, Sendable, Hashable {
    package var network: OverlayNetwork
    package var address: IPv4Address

    package init(network: OverlayNetwork, address: IPv4Address) {
      self.network = network
      self.address = address
    }
  }

  /// The node's containers on overlay networks that are no tasks, all of them, running or not.
  package struct AttachedContainers: Codable, Sendable, Hashable {
    /// What the engine calls each, by `Attachment.container`.
    package var names: [String: [String]]
    /// Ids of the networks that each is on.
    package var networks: [String: Set<String>]

    package init(names: [String: [String]] = [:], networks: [String: Set<String>] = [:]) {
      self.names = names
      self.networks = networks
    }
  }
}

/// Where a container is on an overlay network, in its engine's terms.
package struct AttachedPlace: Sendable, Hashable {
  /// The engine's network.
  package var engineName: String
  package var address: IPv4Address
  /// Where it is to ask for names.
  package var gateway: IPv4Address

  package init(engineName: String, address: IPv4Address, gateway: IPv4Address) {
    self.engineName = engineName
    self.address = address
    self.gateway = gateway
  }
}

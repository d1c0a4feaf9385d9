// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import EngineClient

/// The engine's bridge network that is this node's part of an overlay network. Its containers have addresses given by the managers; the
/// tunnel to other nodes is a port of its bridge.
package enum OverlayBridge {
  private static let packetSizeOption = "com.docker.network.driver.mtu"

  /// `mtu` is what a packet to another node may have; `nil` while there is no way there. A network's own option wins.
  package static func body(of network: OverlayNetwork, clusterID: String, mtu: UInt32?) -> JSONValue {
    var options = network.options.filter { $0.key.hasPrefix("com.docker.network.") }
    options[Network.bridgeOption] = Network.bridge(ofTunnel: network.tunnel)
    if options[packetSizeOption] == nil, let mtu { options[packetSizeOption] = "\(mtu)" }
    let labels = network.labels.merging([Labels.cluster: clusterID, Labels.network: network.id]) { _, own in own }
    return [
      "Name": .string(Network.engineName(of: network.name)), "Driver": "bridge", "CheckDuplicate": true,
      "Internal": .bool(network.isInternal),
      "IPAM": [
        "Driver": "default", "Config": [["Subnet": .string("\(network.subnet)"), "Gateway": .string("\(network.gateway)")]],
      ],
      "Options": JSONValue(options), "Labels": JSONValue(labels),
    ]
  }

  package enum Verdict: Sendable, Hashable {
    case fits
    /// After these, which are left of networks that are gone, have been removed.
    case create(removing: [String])
    case unusable(reason: String)
  }

  /// What to do about the networks that the engine has, all of them.
  package static func verdict(on network: OverlayNetwork, found: [EngineNetwork]) -> Verdict {
    if found.contains(where: { $0.labels[Labels.network] == network.id }) { return .fits }
    let name = Network.engineName(of: network.name)
    let inTheWay = found.filter { $0.name == name || $0.uses(network.subnet) || $0.isBridge(ofTunnel: network.tunnel) }
    if let foreign = inTheWay.first(where: { $0.labels[Labels.network] == nil }) {
      let what = foreign.name == name ? "has the name" : "has addresses of \(network.subnet)"
      return .unusable(
        reason:
          "network \(network.name) cannot be made on this node: the network \(foreign.name) there, which is not the cluster's, \(what)"
      )
    }
    return .create(removing: inTheWay.map(\.id))
  }
}

extension EngineNetwork {
  fileprivate func uses(_ subnet: IPv4Subnet) -> Bool {
    ipam.config.contains { IPv4Subnet($0.subnet)?.overlaps(subnet) ?? false }
  }

  fileprivate func isBridge(ofTunnel number: UInt32) -> Bool { options[Network.bridgeOption] == Network.bridge(ofTunnel: number) }
}

/// A task's address on an overlay network, with what is known of the network.
struct OverlayPlace: Sendable {
  /// The first API of engines that may have to be told a container's Ethernet address: those before make it of the address.
  private static let firstToBeTold = 44

  let network: OverlayNetwork
  let address: IPv4Address
  /// Of the engine's API.
  let version: String

  var engineName: String { Network.engineName(of: network.name) }

  /// The API's `EndpointSettings`. Other nodes know the Ethernet address from the address.
  var settings: JSONValue {
    var settings: JSONValue = ["IPAMConfig": ["IPv4Address": .string("\(address)")]]
    if NewerFields.minor(version) >= Self.firstToBeTold { settings["MacAddress"] = .string(address.containerHardwareAddress) }
    return settings
  }
}

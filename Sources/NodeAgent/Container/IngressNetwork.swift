// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

/// The bridge network that tasks with ingress ports are on, with addresses given by the managers.
package enum IngressNetwork {
  /// Sorts first: the engine's default route follows the first network by name.
  package static let name = "0-skep-ingress"
  package static let bridge = "skep-ingress"

  /// The first API of engines that drop what comes to a container past their own port mappings, unless its bridge is made so that
  /// they do not: `MeshRules` let in what is ours.
  private static let firstClosed = 48

  /// - Parameters:
  ///   - mtu: what a packet to another host's container may have; `nil` for the engine's default.
  ///   - version: of the engine's API.
  package static func body(subnet: IPv4Subnet, clusterID: String, mtu: UInt32?, version: String) -> JSONValue {
    var options: JSONValue = ["com.docker.network.bridge.name": .string(bridge)]
    options["com.docker.network.driver.mtu"] = mtu.map { .string("\($0)") }
    if NewerFields.minor(version) >= firstClosed {
      options["com.docker.network.bridge.gateway_mode_ipv4"] = "nat-unprotected"
    }
    return [
      "Name": .string(name), "Driver": "bridge", "CheckDuplicate": true,
      "IPAM": ["Driver": "default", "Config": [["Subnet": .string("\(subnet)"), "Gateway": .string("\(subnet.gateway)")]]],
      "Options": options,
      "Labels": [Labels.cluster: .string(clusterID)],
    ]
  }

  package enum Verdict: Sendable, Hashable {
    case fits, create, recreate
    case unusable(reason: String)
  }

  /// What to do about the network the engine has; `found` is `nil` when it has none of the name.
  package static func verdict(_ found: EngineNetwork?, subnet: IPv4Subnet, clusterID: String) -> Verdict {
    guard let found else { return .create }
    guard let owner = found.labels[Labels.cluster] else {
      return .unusable(reason: "network \(name) exists and was not made by Skep: it has no label \(Labels.cluster)")
    }
    let present = found.ipam.config.first?.subnet ?? "none"
    // One that a lost cluster left is made anew, so that it goes when this one does; while its containers live it is shared.
    if present == subnet.description, owner == clusterID || !found.containers.isEmpty { return .fits }
    if found.containers.isEmpty { return .recreate }
    let users = found.containers.count
    return .unusable(reason: "network \(name) has subnet \(present) instead of \(subnet), and \(users) containers use it")
  }
}

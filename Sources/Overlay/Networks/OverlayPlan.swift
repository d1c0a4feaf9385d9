// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel
package import Netlink

/// What the kernel is to know of an overlay network: a tunnel that is a port of the network's bridge, and for each container on another
/// host a neighbour and a forwarding entry.
///
/// The tunnel answers ARP itself and has no destination but the entries', so broadcasts and packets to nobody stay on their host, and
/// each host's bridge can have the same address.
package struct OverlayPlan: Sendable, Hashable {
  private static let prefix = "skep-t"

  /// VXLAN network identifier.
  package let tunnel: UInt32
  package let vxlan: VXLAN
  package let hardwareAddress: HardwareAddress
  package private(set) var neighbours: Set<Neighbour>

  /// Containers on hosts that are not in the mesh are left out.
  package init(_ network: OverlayNetwork, _ mesh: Mesh) {
    tunnel = network.tunnel
    vxlan = VXLAN(id: network.tunnel, local: mesh.own.address, port: mesh.port, answersARP: true)
    hardwareAddress = HardwareAddress(overlay: network.tunnel, node: mesh.own.number)
    neighbours = Self.neighbours(network.endpoints, mesh)
  }

  mutating func apply(_ difference: OverlayPlans.Difference) {
    neighbours.subtract(difference.removed)
    neighbours.formUnion(difference.added)
  }

  package static func device(of tunnel: UInt32) -> String { "\(prefix)\(tunnel)" }

  /// The network's bridge, which the engine makes and removes.
  package var bridge: String { Network.bridge(ofTunnel: tunnel) }
  package var device: String { Self.device(of: tunnel) }

  /// What the bridge is to know, which learns nothing by the tunnel.
  var portEntries: Set<Neighbour> { Self.portEntries(of: neighbours) }

  static func portEntries(of neighbours: Set<Neighbour>) -> Set<Neighbour> {
    Set(
      neighbours.compactMap { entry in
        if case .forwarding(let hardware, _) = entry { .behindPort(hardware) } else { nil }
      })
  }

  /// Whether it can be one of ours. The tunnel between ingress subnets is not.
  static func isDevice(_ link: Link) -> Bool {
    link.kind == "vxlan" && link.name.hasPrefix(prefix) && UInt32(link.name.dropFirst(prefix.count)) != nil
  }

  static func neighbours(_ endpoints: some Collection<OverlayEndpoint>, _ mesh: Mesh) -> Set<Neighbour> {
    if endpoints.isEmpty { return [] }
    let peers = Dictionary(mesh.peers.map { ($0.nodeID, $0.address) }, uniquingKeysWith: { first, _ in first })
    // An address can be in one place alone, or the kernel would never have what is wanted.
    let nodes = Dictionary(endpoints.map { ($0.address, $0.nodeID) }, uniquingKeysWith: { first, _ in first })
    return Set(
      nodes.flatMap { address, node -> [Neighbour] in
        guard node != mesh.own.nodeID, let peer = peers[node] else { return [] }
        let hardware = HardwareAddress(container: address)
        return [.address(address, hardware), .forwarding(hardware, to: peer)]
      })
  }
}

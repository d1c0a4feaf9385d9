// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel
package import Netlink

/// What the kernel is to know of the other hosts: one tunnel, and per peer a route, a neighbour, a forwarding entry, and a way back.
/// So it grows with hosts, not with containers.
///
/// Every host's part of the ingress pool is behind the address that its bridge there has. Two peers may send connections of one client,
/// with one port, to one task: each peer's are tracked apart (in a conntrack zone of the peer's number), and the replies go back the way
/// the connection came, by a mark that stands for the zone and a routing table of the peer's own.
package struct MeshPlan: Sendable, Hashable {
  /// The tunnel's end on each host.
  package static let device = "skep-tunnel"
  /// VXLAN network identifier; those of overlay networks begin after it.
  package static let tunnelID: UInt32 = 4096
  /// Bytes that the tunnel puts around each packet.
  package static let overhead: UInt32 = 50
  package static let rulePriority: UInt32 = 9002
  private static let firstTable: UInt32 = 9100
  /// The bits of a packet's mark that hold the number of the peer that its reply belongs to.
  package static let markMask: UInt32 = 0x00FF_F000

  package let mesh: Mesh
  /// Through which the containers answer.
  package let bridge: String

  package init(mesh: Mesh, bridge: String) {
    self.mesh = mesh
    self.bridge = bridge
  }

  package var vxlan: VXLAN { VXLAN(id: Self.tunnelID, local: mesh.own.address, port: mesh.port) }
  package var hardwareAddress: HardwareAddress { Self.hardwareAddress(of: mesh.own) }

  package var neighbours: Set<Neighbour> {
    Set(
      mesh.peers.flatMap { peer -> [Neighbour] in
        let hardware = Self.hardwareAddress(of: peer)
        return [.address(peer.subnet.gateway, hardware), .forwarding(hardware, to: peer.address)]
      })
  }

  /// `link` is the tunnel's index.
  package func routes(link: Int32) -> Set<Route> {
    let everywhere = IPv4Subnet(base: IPv4Address(bits: 0), prefix: 0)
    return Set(
      mesh.peers.flatMap { peer in
        let next = Route.Next(link: link, gateway: peer.subnet.gateway, source: mesh.own.subnet.gateway)
        return [
          Route(to: peer.subnet, by: next),
          Route(to: everywhere, table: Self.table(of: peer), by: .init(link: link, gateway: peer.subnet.gateway)),
        ]
      })
  }

  package var rules: Set<RoutingRule> {
    Set(
      mesh.peers.map {
        RoutingRule(
          priority: Self.rulePriority, interface: bridge, mark: Self.mark(of: $0), mask: Self.markMask, table: Self.table(of: $0))
      })
  }

  package static func hardwareAddress(of peer: Peer) -> HardwareAddress { HardwareAddress(tunnelEnd: peer.subnet.gateway) }
  static func mark(of peer: Peer) -> UInt32 { UInt32(peer.number) << 12 }
  static func table(of peer: Peer) -> UInt32 { firstTable + UInt32(peer.number) }

  /// Whether a routing table can be one of ours.
  static func isPeerTable(_ table: UInt32) -> Bool { (firstTable...firstTable + 0xFFF).contains(table) }
}

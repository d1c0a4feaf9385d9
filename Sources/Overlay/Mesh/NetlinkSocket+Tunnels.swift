// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Netlink

/// What all tunnels between hosts need.
extension NetlinkSocket {
  /// Less than the way between the hosts takes, which begins at the address `local`.
  func tunnelMTU(from local: IPv4Address) throws -> UInt32 {
    let link = try addresses().first { $0.address == local }?.link
    let underlay = try links().first { $0.index == link }?.mtu ?? 1_500
    return max(underlay, 1_280 + MeshPlan.overhead) - MeshPlan.overhead
  }

  /// Gives a tunnel these entries and no others; how many were missing or too many.
  func ensure(_ wanted: Set<Neighbour>, of link: Int32) throws -> Int {
    let found = try neighbours(of: link)
    for entry in found.subtracting(wanted) { try remove(entry, link: link) }
    for entry in wanted.subtracting(found) { try put(entry, link: link) }
    return found.symmetricDifference(wanted).count
  }
}

extension VXLAN {
  /// As it is made on a host with these addresses: one that is translated on the way is none to send from.
  func placed(among addresses: Set<IPv4Address>) -> VXLAN {
    var placed = self
    if !addresses.contains(local) { placed.local = IPv4Address(bits: 0) }
    return placed
  }
}

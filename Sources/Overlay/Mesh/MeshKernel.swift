// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import Netfilter
import Netlink

/// The mesh in this network namespace's kernel. What is right is left alone; what differs is changed.
package final class MeshKernel {
  private let socket: NetlinkSocket
  private let filter: NFTables
  private let bridge: String
  /// What the kernel listed after the last installation, and of what.
  private var installed: (plan: MeshPlan, listed: String)?

  /// For the calling thread's network namespace.
  package init(bridge: String) throws {
    socket = try NetlinkSocket(.route)
    filter = try NFTables()
    self.bridge = bridge
  }

  /// What a packet into the tunnel may have at most; `nil` while there is none.
  package var packetSize: UInt32? { (try? socket.link(named: MeshPlan.device))?.mtu }

  /// How many things were changed.
  @discardableResult
  package func ensure(_ plan: MeshPlan) throws -> Int {
    let (link, made) = try ensureDevice(plan)
    var changes = (made ? 1 : 0) + (Self.ensureSettings() ? 1 : 0)
    changes += try socket.ensure(plan.neighbours, of: link)
    changes += try ensureRoutes(plan, link)
    if let installed, installed.plan == plan, (try? list()) == installed.listed { return changes }
    try filter.run(MeshRules(plan: plan).commands)
    installed = (plan, try list())
    return changes + 1
  }

  package func remove() throws {
    installed = nil
    if let link = try socket.link(named: MeshPlan.device) { try socket.removeLink(link.index) }
    for rule in try socket.rules(priorities: [MeshPlan.rulePriority]) { try socket.remove(rule) }
    for name in ["tcp", "udp"] { Sysctl.set("net/ipv4/\(name)_early_demux", "1") }
    try filter.run("table ip \(MeshRules.table)\ndelete table ip \(MeshRules.table)")
  }

  /// A socket that keeps a client's address would get the answers to other connections of the same port, those of peers and those that
  /// the packet filter forwards, before anybody has looked where they belong.
  private static func ensureSettings() -> Bool {
    let wanted = ["net/ipv4/tcp_early_demux": "0", "net/ipv4/udp_early_demux": "0", "net/ipv4/ip_forward": "1"]
    let wrong = wanted.filter { Sysctl.get($0.key) != $0.value }
    return wrong.filter { Sysctl.set($0.key, $0.value) }.count > 0
  }

  private func list() throws -> String { try filter.run("list table ip \(MeshRules.table)") }

  private func ensureDevice(_ plan: MeshPlan) throws -> (index: Int32, isNew: Bool) {
    let mtu = try socket.tunnelMTU(from: plan.mesh.own.address)
    let vxlan = plan.vxlan.placed(among: Set(try socket.addresses().map(\.address)))
    if let found = try socket.link(named: MeshPlan.device) {
      if [plan.vxlan, vxlan].contains(found.vxlan), found.hardwareAddress == plan.hardwareAddress {
        let isRight = found.isUp && found.mtu == mtu
        if !isRight { try socket.setUp(found.index, mtu: mtu) }
        try ensureAddress(plan, found.index)
        return (found.index, !isRight)
      }
      try socket.removeLink(found.index)
    }
    try socket.makeVXLAN(MeshPlan.device, vxlan, hardwareAddress: plan.hardwareAddress, mtu: mtu)
    guard let link = try socket.link(named: MeshPlan.device) else { throw NetlinkError(ENODEV, "making the tunnel") }
    // Sources on both ways are clients' addresses, which no route of this host leads back to.
    Sysctl.set("net/ipv4/conf/\(MeshPlan.device)/rp_filter", "2")
    try socket.setUp(link.index)
    try ensureAddress(plan, link.index)
    return (link.index, true)
  }

  /// The bridge's own: the bridge itself is there only while a container is, and without an address the kernel takes nothing in.
  private func ensureAddress(_ plan: MeshPlan, _ link: Int32) throws {
    let own = plan.mesh.own.subnet.gateway
    guard try !socket.addresses().contains(where: { $0.link == link && $0.address == own }) else { return }
    try socket.put(own, prefix: 32, link: link)
  }

  private func ensureRoutes(_ plan: MeshPlan, _ link: Int32) throws -> Int {
    let found = try socket.routes().filter { $0.next?.link == link || MeshPlan.isPeerTable($0.table) }
    let wanted = plan.routes(link: link)
    for route in found.subtracting(wanted) { try socket.remove(route) }
    for route in wanted.subtracting(found) { try socket.put(route) }
    let (oldRules, rules) = (try socket.rules(priorities: [MeshPlan.rulePriority]), plan.rules)
    for rule in oldRules.subtracting(rules) { try socket.remove(rule) }
    for rule in rules.subtracting(oldRules) { try socket.put(rule) }
    return found.symmetricDifference(wanted).count + oldRules.symmetricDifference(rules).count
  }
}

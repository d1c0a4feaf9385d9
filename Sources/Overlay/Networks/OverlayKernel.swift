// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import Netfilter
import Netlink

/// The overlay networks' tunnels in this network namespace's kernel. What is right is left alone; what differs is changed.
package final class OverlayKernel {
  private let socket: NetlinkSocket
  /// The bridge that each tunnel was made a port of, by the tunnel's name.
  private var joined: [String: Int32] = [:]
  /// The tunnels that were left with all of their entries, by name.
  private var filled: [String: Int32] = [:]

  /// For the calling thread's network namespace.
  package init() throws { socket = try NetlinkSocket(.route) }

  /// How many things were changed. The engine makes and removes bridges as it likes: to join a new one does not count.
  ///
  /// `differences` are what is new since the last call: of a tunnel that was left right then, no other entry is looked at. Without them
  /// all are.
  ///
  /// A network that cannot be had does not keep the others back; the first error is thrown at the end.
  @discardableResult
  package func ensure(_ plans: [OverlayPlan], _ differences: OverlayPlans.Differences = [:]) throws -> Int {
    let links = Dictionary(try socket.links().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var changes = try removeAll(links.values, but: Set(plans.map(\.device)))
    let mtus = try Dictionary(uniqueKeysWithValues: Set(plans.map(\.vxlan.local)).map { ($0, try socket.tunnelMTU(from: $0)) })
    let own = try Set(socket.addresses().map(\.address))
    var failure: (any Error)?
    for plan in plans {
      let vxlan = plan.vxlan.placed(among: own)
      do { changes += try ensure(plan, vxlan, links, mtu: mtus[plan.vxlan.local] ?? 0, differences[plan.tunnel]) } catch {
        filled[plan.device] = nil
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return changes
  }

  /// All of them, whoever made them.
  package func remove() throws { try ensure([]) }

  private func removeAll(_ links: some Collection<Link>, but wanted: Set<String>) throws -> Int {
    let left = links.filter { OverlayPlan.isDevice($0) && !wanted.contains($0.name) }
    for link in left {
      try socket.removeLink(link.index)
      joined[link.name] = nil
      filled[link.name] = nil
    }
    return left.count
  }

  private func ensure(
    _ plan: OverlayPlan, _ vxlan: VXLAN, _ links: [String: Link], mtu: UInt32, _ difference: OverlayPlans.Difference?
  ) throws -> Int {
    let (device, isMade) = try ensureDevice(plan, vxlan, links[plan.device], mtu: mtu)
    let bridge = links[plan.bridge].flatMap { $0.kind == "bridge" ? $0 : nil }
    let isJoined = bridge.map { joined[device.name] == $0.index } ?? true
    let isChanged = try ensurePort(device, of: bridge, mtu: mtu)
    if !isMade, !isChanged, isJoined, filled[device.name] == device.index, let difference {
      return try apply(difference, to: device.index, isPort: bridge != nil)
    }
    let changes = try socket.ensure(plan.neighbours.union(bridge == nil ? [] : plan.portEntries), of: device.index)
    filled[device.name] = device.index
    // What comes with a new bridge is no change of anybody's.
    return (isMade || isChanged ? 1 : 0) + (isJoined || isMade ? changes : 0)
  }

  private func apply(_ difference: OverlayPlans.Difference, to device: Int32, isPort: Bool) throws -> Int {
    var (removed, added) = (difference.removed, difference.added)
    if isPort {
      let kept = OverlayPlan.portEntries(of: added)
      removed.formUnion(OverlayPlan.portEntries(of: removed).subtracting(kept))
      added.formUnion(kept)
    }
    for entry in removed { try socket.remove(entry, link: device) }
    for entry in added { try socket.put(entry, link: device) }
    return removed.count + added.count
  }

  private func ensureDevice(
    _ plan: OverlayPlan, _ vxlan: VXLAN, _ found: Link?, mtu: UInt32
  ) throws -> (device: Link, isMade: Bool) {
    if let found {
      if [plan.vxlan, vxlan].contains(found.vxlan), found.hardwareAddress == plan.hardwareAddress { return (found, false) }
      try socket.removeLink(found.index)
    }
    try socket.makeVXLAN(plan.device, vxlan, hardwareAddress: plan.hardwareAddress, mtu: mtu)
    // It carries the containers' packets and has none of its own.
    Sysctl.set("net/ipv6/conf/\(plan.device)/disable_ipv6", "1")
    guard let device = try socket.link(named: plan.device) else { throw NetlinkError(ENODEV, "making tunnel \(plan.device)") }
    return (device, true)
  }

  /// Whether anything was not as it had been left.
  private func ensurePort(_ device: Link, of bridge: Link?, mtu: UInt32) throws -> Bool {
    let master = bridge?.index
    let isPort = master == nil || device.master == master
    let isRight = device.isUp && device.mtu == mtu
    if !isRight || !isPort { try socket.setUp(device.index, mtu: mtu, master: master) }
    // An address that is now here was elsewhere before: what was learned of it would lead its packets back where they came from.
    if !isPort { try socket.stopLearning(device.index) }
    defer { joined[device.name] = master }
    return !isRight || !isPort && joined[device.name] == master
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Netfilter
import Netlink

/// The rules for services' addresses in one container's network namespace, for as long as that is there: everything needed is kept
/// open, since opening costs some ten milliseconds and a change a fraction of one.
package final class VirtualIPKernel {
  private let filter: NFTables
  private let tracking: NetlinkSocket
  private let sockets: NetlinkSocket
  private var installed: (rules: VirtualIPRules, listed: String)?

  /// `network` is a descriptor of the namespace, which is needed only here.
  package init(network: Int32) throws {
    filter = try NFTables(network: network)
    tracking = try NetlinkSocket(.netfilter, network: network)
    sockets = try NetlinkSocket(.sockets, network: network)
    // A packet that seems to be outside of its connection's window is not translated, and so would be refused.
    Sysctl.set("net/netfilter/nf_conntrack_tcp_be_liberal", "1", network: network)
  }

  /// Whether anything had to be done. What is right is left alone, so that turns go on.
  ///
  /// Connections to endpoints that no longer take new ones stay. Those to endpoints that are lost end.
  @discardableResult
  package func ensure(_ rules: VirtualIPRules) throws -> Bool {
    let isIntact = installed.map { list() == $0.listed } ?? false
    if let installed, isIntact, installed.rules == rules { return false }
    let before = installed?.rules
    if let before, isIntact {
      let commands = rules.commands(from: before)
      if !commands.isEmpty { try filter.run(commands) }
    } else {
      try filter.run(rules.commands)
    }
    installed = (rules, list())
    do { try release(before, rules) } catch {
      // As if nothing were known: the next time looks for all that is lost.
      installed = nil
      throw error
    }
    return true
  }

  /// Attempts that are bound to an endpoint that takes none go to another when they are repeated, and so do datagrams of somebody who
  /// never heard anything.
  private func release(_ before: VirtualIPRules?, _ rules: VirtualIPRules) throws {
    let taken = Set(before?.services.values.flatMap(\.endpoints) ?? [])
    let left = taken.subtracting(rules.services.values.flatMap(\.endpoints)).intersection(rules.known)
    for address in left { try tracking.forgetConnections(mark: address.bits, mask: .max, isUnanswered: true) }
    // After an agent's absence nobody knows who was lost meanwhile.
    if let before, before.known.isSubset(of: rules.known) { return }
    for subnet in Set(rules.subnets).union(before?.subnets ?? []) { try cut(in: subnet, but: rules.known) }
  }

  private func cut(in subnet: IPv4Subnet, but known: Set<IPv4Address>) throws {
    let mask = subnet.prefix == 0 ? 0 : UInt32.max << UInt32(32 - subnet.prefix)
    let lost = try tracking.connections(mark: subnet.base.bits, mask: mask).filter {
      $0.mark != 0 && !known.contains(IPv4Address(bits: $0.mark))
    }
    guard !lost.isEmpty else { return }
    let ends = Set(lost.filter(\.isTCP).map(\.ends))
    // Sockets first: their last packet still finds its way.
    for socket in try sockets.connectedSockets() where socket.isTCP && ends.contains(socket.ends) { try sockets.destroy(socket) }
    for mark in Set(lost.map(\.mark)) { try tracking.forgetConnections(mark: mark, mask: .max, isUnanswered: false) }
  }

  private func list() -> String { (try? filter.run("list table ip \(VirtualIPRules.table)")) ?? "" }
}

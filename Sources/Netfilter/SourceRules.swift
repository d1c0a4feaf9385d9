// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Netlink

/// What the kernel has to be told so that the relay can connect to containers from its clients' own addresses.
///
/// A container answers to the client's address, so its packets would leave this host. They are recognised by the mark that
/// their connection got when the relay opened it, and are taken for this host's own: there the relay's socket waits for them.
package struct SourceRules: Sendable {
  static let table = "skep-sources"
  /// Of the routing table and of its rule: beyond the main table's, where nobody's default is.
  static let routingTable: UInt32 = 9001
  static let priority: UInt32 = 9001

  /// The interfaces through which containers answer: the bridge of this host's own, and the tunnel to others'.
  let interfaces: [String]

  /// One transaction for libnftables. Whatever the table held before is gone.
  var commands: String {
    let (mark, reply) = ("0x\(hex(CL_KEPT_SOURCE_MARK))", "0x\(hex(CL_KEPT_SOURCE_REPLY_MARK))")
    return """
      table ip \(Self.table)
      delete table ip \(Self.table)
      table ip \(Self.table) {
        chain output {
          type filter hook output priority mangle; policy accept;
          meta mark & \(mark) != 0 ct mark set ct mark or \(mark)
        }
        chain prerouting {
          type filter hook prerouting priority mangle; policy accept;
          iifname { \(interfaces.map { "\"\($0)\"" }.joined(separator: ", ")) } ct direction reply ct mark & \(mark) != 0 meta mark set meta mark or \(reply)
        }
      }
      """
  }

  private func hex(_ mark: Int32) -> String { String(mark, radix: 16) }
}

/// The rules in this network namespace's kernel.
package final class SourceRulesInKernel {
  private let rules: SourceRules
  private let filter: NFTables
  private let routes: NetlinkSocket
  /// What the kernel lists after an installation: anything else means that somebody changed them.
  private var listed: String?

  package init(interfaces: [String]) throws {
    rules = SourceRules(interfaces: interfaces)
    filter = try NFTables()
    routes = try NetlinkSocket(.route)
  }

  /// Whether anything had to be done. What is right is left alone, so that no connection meets a moment without rules.
  @discardableResult
  package func ensure() throws -> Bool {
    try routes.put(rules.route)
    for rule in rules.routingRules { try routes.put(rule) }
    if let listed, (try? list()) == listed { return false }
    try filter.run(rules.commands)
    listed = try list()
    return true
  }

  package func remove() throws {
    listed = nil
    try filter.run("table ip \(SourceRules.table)\ndelete table ip \(SourceRules.table)")
    for rule in try routes.rules(priorities: [SourceRules.priority]) { try routes.remove(rule) }
    try routes.remove(rules.route)
  }

  private func list() throws(NetfilterError) -> String { try filter.run("list table ip \(SourceRules.table)") }
}

extension SourceRules {
  /// What is looked up in that table is this host's own.
  fileprivate var route: Route { Route(to: IPv4Subnet(base: IPv4Address(bits: 0), prefix: 0), table: Self.routingTable, by: nil) }

  fileprivate var routingRules: [RoutingRule] {
    let mark = UInt32(CL_KEPT_SOURCE_REPLY_MARK)
    return interfaces.map {
      RoutingRule(priority: Self.priority, interface: $0, mark: mark, mask: mark, table: Self.routingTable)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux

/// What the kernel has to be told so that the relay can connect to containers from its clients' own addresses.
///
/// A container answers to the client's address, so its packets would leave this host. They are recognised by the mark that
/// their connection got when the relay opened it, and are taken for this host's own: there the relay's socket waits for them.
package struct SourceRules: Sendable {
  static let table = "skep-sources"
  /// Of the routing table and of its rule: beyond the main table's, where nobody's default is.
  static let routingTable: UInt32 = 9001
  static let priority: UInt32 = 9001

  /// The interface through which containers answer.
  let bridge: String

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
          iifname "\(bridge)" ct direction reply ct mark & \(mark) != 0 meta mark set meta mark or \(reply)
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
  /// What the kernel lists after an installation: anything else means that somebody changed them.
  private var listed: String?

  package init(bridge: String) throws(NetfilterError) {
    rules = SourceRules(bridge: bridge)
    filter = try NFTables()
  }

  /// Whether anything had to be done. What is right is left alone, so that no connection meets a moment without rules.
  @discardableResult
  package func ensure() throws(NetfilterError) -> Bool {
    try route(add: true)
    if let listed, (try? list()) == listed { return false }
    try filter.run(rules.commands)
    listed = try list()
    return true
  }

  package func remove() throws(NetfilterError) {
    listed = nil
    try filter.run("table ip \(SourceRules.table)\ndelete table ip \(SourceRules.table)")
    try route(add: false)
  }

  private func list() throws(NetfilterError) -> String { try filter.run("list table ip \(SourceRules.table)") }

  private func route(add: Bool) throws(NetfilterError) {
    let result = cl_reply_route(add ? 1 : 0, rules.bridge, SourceRules.routingTable, SourceRules.priority)
    guard result == 0 else {
      throw NetfilterError(.system, "policy routing for replies to clients: \(String(cString: strerror(-result)))")
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Netfilter
import Netlink

/// The offloaded part of the endpoint table in this network namespace's kernel.
package final class OffloadKernel {
  private let filter: NFTables
  private let tracking: NetlinkSocket
  private let sockets: NetlinkSocket
  private var installed: (rules: OffloadRules, listed: String)?
  private var refusals: UInt64 = 0

  /// For the calling thread's network namespace.
  package init() throws {
    filter = try NFTables()
    tracking = try NetlinkSocket(.netfilter)
    sockets = try NetlinkSocket(.sockets)
  }

  /// Whether anything had to be done.
  @discardableResult
  package func ensure(_ rules: OffloadRules) throws -> Bool {
    // For a packet that seems to be outside of its connection's window: what is not translated would be taken for the relay's, and reset.
    Sysctl.set("net/netfilter/nf_conntrack_tcp_be_liberal", "1")
    if let installed, installed.rules == rules, list() == installed.listed { return false }
    let counts = try counted().carried(to: rules.keys)
    try filter.run(rules.commands(from: counts))
    installed = (rules, list())
    refusals = 0
    return true
  }

  package func remove() throws {
    installed = nil
    try filter.run("table ip \(OffloadRules.table)\ndelete table ip \(OffloadRules.table)")
  }

  /// Endpoints, by mark, that clients are on their way to: each first packet has its endpoint before the endpoint has seen anything of it.
  package func approached() throws -> Set<UInt32> {
    Set(try attempts().filter { !$0.isRefused }.map(\.mark))
  }

  /// Attempts that an endpoint has refused since the last call go to another when their clients repeat them.
  package func releaseRefused() throws {
    guard installed?.rules.listeners.isEmpty == false, try hasNewRefusals() else { return }
    for attempt in try attempts() where attempt.isRefused { try tracking.forget(attempt) }
  }

  /// Attempts that are bound to endpoints that are gone go to others when their clients repeat them.
  package func release(_ addresses: Set<IPv4Address>) throws {
    for address in addresses {
      try tracking.forgetConnections(mark: OffloadMark.of(address), mask: OffloadMark.mask, isUnanswered: true)
    }
  }

  /// Ends what is open to endpoints that are lost: clients of the packet filter's are told by this host when they next speak, the relay
  /// at once.
  package func cut(_ addresses: Set<IPv4Address>) throws {
    for address in addresses { try forget(address) }
    for socket in try sockets.connectedSockets() where addresses.contains(socket.peer) { try sockets.destroy(socket) }
  }

  /// All that is remembered of connections to it, open or not.
  func forget(_ address: IPv4Address) throws {
    try tracking.forgetConnections(mark: OffloadMark.of(address), mask: OffloadMark.mask, isUnanswered: false)
  }

  func attempts() throws -> [Attempt] { try tracking.attempts(mark: OffloadMark.bit, mask: OffloadMark.bit) }

  /// From `packets 3 bytes 120`.
  private func hasNewRefusals() throws -> Bool {
    let listed = try filter.run("list counter ip \(OffloadRules.table) refused").split { $0 == " " || $0.isNewline }
    let count = listed.firstIndex(of: "packets").flatMap { listed.dropFirst($0 + 1).first }.flatMap { UInt64($0) } ?? 0
    defer { refusals = count }
    return count != refusals
  }

  private func counted() throws -> OffloadCounts {
    // Whose rules are gone counts from nothing.
    OffloadCounts(listing: (try? filter.run("list counters table ip \(OffloadRules.table)")) ?? "")
  }

  /// What was carried so far and what is open now. Looks through all that is tracked.
  package func counts() throws -> OffloadCounts {
    var counts = try counted()
    for connection in try tracking.connections(mark: OffloadMark.bit, mask: OffloadMark.bit) where connection.isEstablished {
      counts.addOpen(.init(port: connection.ends.peerPort, endpoint: connection.replier))
    }
    return counts
  }

  /// Without what changes by itself.
  private func list() -> String {
    let listed = (try? filter.run("list table ip \(OffloadRules.table)")) ?? ""
    return listed.split(separator: "\n").filter { !$0.contains("packets") }.joined(separator: "\n")
  }
}

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
  /// Endpoints that there were when the rules were last looked at.
  private var endpoints: Set<IPv4Address> = []

  /// For the calling thread's network namespace.
  package init() throws {
    filter = try NFTables()
    tracking = try NetlinkSocket(.netfilter)
    sockets = try NetlinkSocket(.sockets)
  }

  /// Whether anything had to be done. `endpoints` are all that there are, draining ones and those of the relay too.
  @discardableResult
  package func ensure(_ rules: OffloadRules, endpoints: Set<IPv4Address>) throws -> Bool {
    // For a packet that seems to be outside of its connection's window: what is not translated would be taken for the relay's, and reset.
    Sysctl.set("net/netfilter/nf_conntrack_tcp_be_liberal", "1")
    if let installed, installed.rules == rules, list() == installed.listed { return false }
    try filter.run(rules.commands)
    installed = (rules, list())
    // An attempt that waits for an answer is bound to its endpoint until it is forgotten.
    for address in self.endpoints.subtracting(endpoints) { try forget(address, isUnanswered: true) }
    self.endpoints = endpoints
    return true
  }

  package func remove() throws {
    installed = nil
    try filter.run("table ip \(OffloadRules.table)\ndelete table ip \(OffloadRules.table)")
  }

  /// Ends what is open to endpoints that are lost: clients of the packet filter's are told by this host when they next speak, the relay
  /// at once.
  package func cut(_ addresses: Set<IPv4Address>) throws {
    for address in addresses { try forget(address, isUnanswered: false) }
    for socket in try sockets.connectedSockets() where addresses.contains(socket.peer) { try sockets.destroy(socket) }
  }

  private func forget(_ address: IPv4Address, isUnanswered: Bool) throws {
    try tracking.forgetConnections(mark: OffloadMark.of(address), mask: OffloadMark.mask, isUnanswered: isUnanswered)
  }

  /// Without the counters of turns there is nothing in it that changes by itself.
  private func list() -> String { (try? filter.run("list table ip \(OffloadRules.table)")) ?? "" }
}

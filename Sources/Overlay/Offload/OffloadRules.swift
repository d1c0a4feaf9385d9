// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// The part of an endpoint table that the packet filter carries: new connections of clients outside, before they reach the relay's
/// socket, which is there for all others.
///
/// Only what opens a connection is looked at: what belongs to an open one that went to the relay is the relay's, also when the filter
/// has forgotten it. A refusal on the way back is dropped before the client sees it: its next attempt, a second later, finds the
/// endpoint gone from the table and goes to another.
package struct OffloadRules: Sendable, Hashable {
  static let table = "skep-offload"

  /// Those with an endpoint and nothing that only the relay can do.
  let listeners: [Listener]
  /// Clients that are the relay's: containers and hosts of the cluster, whose answers would not come back this way.
  let inside: [IPv4Subnet]
  /// Through which endpoints answer.
  let interfaces: [String]

  package init(_ table: EndpointTable, inside: [IPv4Subnet], interfaces: [String]) {
    listeners = table.listeners.filter { $0.isForPacketFilter && $0.endpoints.contains { $0.state == .ready } }
    self.inside = inside
    self.interfaces = interfaces
  }

  /// One transaction for libnftables. Whatever the table held before is gone; open connections have their endpoint already. Counting goes
  /// on from `counts`.
  func commands(from counts: OffloadCounts) -> String {
    let head = "table ip \(Self.table)\ndelete table ip \(Self.table)\n"
    return listeners.isEmpty ? head : head + "table ip \(Self.table) {\n\(body(counts))\n}"
  }

  /// Those that may have connections: the ones that drain, too.
  var keys: Set<OffloadCounts.Key> {
    Set(listeners.flatMap { listener in listener.endpoints.map { .init(port: listener.port, endpoint: $0.address) } })
  }

  private func body(_ counts: OffloadCounts) -> String {
    let counters = counts.definitions(for: keys).map { "    " + $0 }.joined(separator: "\n")
    let counted = [OffloadCounts.Name.into, OffloadCounts.Name.out].map(countersOf).joined(separator: "\n")
    let chains = listeners.flatMap(chains)
    let bit = "0x\(String(OffloadMark.bit, radix: 16))"
    let quoted = interfaces.map { "\"\($0)\"" }.joined(separator: ", ")
    let ports = listeners.map { "\($0.port) : goto port-\($0.port)" }.joined(separator: ", ")
    return """
        counter refused { packets 0 bytes 0; }
      \(counters)
      \(counted)
        set inside { type ipv4_addr; flags interval; auto-merge; elements = { \(inside.map(\.description).joined(separator: ", ")) }; }
      \(chains.joined(separator: "\n"))
        chain ingress {
          type nat hook prerouting priority dstnat - 10; policy accept;
          ip saddr @inside return
          fib daddr type local tcp flags & (fin|syn|rst|ack) == syn tcp dport vmap { \(ports) }
        }
        chain refusals {
          type filter hook prerouting priority mangle + 2; policy accept;
          iifname { \(quoted) } ct direction reply ct mark & \(bit) != 0 tcp flags & rst == rst ct status & assured == 0 counter name refused drop
        }
        chain carried {
          type filter hook forward priority filter - 10; policy accept;
          ct mark & \(bit) == 0 return
          ct direction original counter name tcp dport . ip daddr map @in return
          counter name tcp sport . ip saddr map @out
        }
      """
  }

  /// By what the endpoint is reached at: of two published ports that lead there, the first has all bytes.
  private func countersOf(_ kind: String) -> String {
    var counters: [String: String] = [:]
    for listener in listeners.sorted(by: { $0.port < $1.port }) {
      for endpoint in listener.endpoints where counters["\(endpoint.port) . \(endpoint.address)"] == nil {
        let key = OffloadCounts.Key(port: listener.port, endpoint: endpoint.address)
        counters["\(endpoint.port) . \(endpoint.address)"] = OffloadCounts.Name.of(kind, key)
      }
    }
    let elements = counters.map { "\($0) : \"\($1)\"" }.sorted()
    return "    map \(kind) { type inet_service . ipv4_addr : counter; elements = { \(elements.joined(separator: ", ")) }; }"
  }

  private func chains(_ listener: Listener) -> [String] {
    let ready = listener.endpoints.filter { $0.state == .ready }.sorted { $0.id < $1.id }
    let ways = ready.enumerated().map { index, endpoint in
      let mark = "0x\(String(OffloadMark.of(endpoint.address), radix: 16))"
      return """
          chain port-\(listener.port)-\(index) {
            counter name \(OffloadCounts.Name.of(OffloadCounts.Name.new, .init(port: listener.port, endpoint: endpoint.address)))
            meta l4proto tcp ct mark set ct mark and 0x\(String(~OffloadMark.mask, radix: 16)) or \(mark) dnat to \(endpoint.address):\(endpoint.port)
          }
        """
    }
    let choice = Self.choice(listener.strategy, among: ready.map(\.id)).enumerated()
      .map { "\($0) : goto port-\(listener.port)-\($1)" }.joined(separator: ", ")
    return ways + ["  chain port-\(listener.port) { \(Self.turn(listener.strategy, ready.count)) vmap { \(choice) }; }"]
  }

  /// What chooses, as a number.
  private static func turn(_ strategy: Strategy, _ count: Int) -> String {
    switch strategy {
    case .random: "numgen random mod \(count)"
    case .ipHash: "jhash ip saddr mod \(Maglev.smallSize) seed 0x736b6570"
    case .roundRobin, .leastConnections: "numgen inc mod \(count)"
    }
  }

  /// The endpoint's index for each of those numbers.
  private static func choice(_ strategy: Strategy, among ids: [String]) -> [Int] {
    guard strategy == .ipHash else { return Array(ids.indices) }
    return Maglev(members: ids, size: Maglev.smallSize).owners.map(Int.init)
  }
}

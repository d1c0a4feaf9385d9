// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel

/// Each one transaction for libnftables. Open connections have their endpoint already, and keep it.
extension VirtualIPRules {
  /// Whatever the table held before is gone. It is there without services too: connections that are open need its hook.
  var commands: String {
    let chains = sorted(Array(services.values)).flatMap { ["  chain \($0.chain) {"] + rules($0).map { "    " + $0 } + ["  }"] }
    return """
      table ip \(Self.table)
      delete table ip \(Self.table)
      table ip \(Self.table) {
      \(chains.joined(separator: "\n"))
        map services {
          type ipv4_addr : verdict
          \(elements(services.values.map { Self.way($0) }))
        }
        set addresses {
          type ipv4_addr
          \(elements(services.keys.map(\.description)))
        }
        chain output {
          type nat hook output priority -105; policy accept;
          meta l4proto tcp tcp flags & (fin|syn|rst|ack) != syn return
          ip daddr vmap @services
        }
        chain untranslated {
          type filter hook output priority filter; policy accept;
          ip daddr @addresses meta l4proto tcp reject with tcp reset
          ip daddr @addresses reject with icmp type port-unreachable
        }
      }
      """
  }

  /// From what is in force to this; empty when nothing is different. What stays keeps its turn.
  func commands(from old: VirtualIPRules) -> String {
    let gone = sorted(old.services.values.filter { services[$0.address] == nil })
    let new = sorted(services.values.filter { old.services[$0.address] == nil })
    let other = sorted(services.values.filter { service in old.services[service.address].map { $0 != service } ?? false })
    var lines = new.map { "add chain \(name($0))" } + other.map { "flush chain \(name($0))" }
    for service in new + other { lines += rules(service).map { "add rule \(name(service)) \($0)" } }
    for (verb, services) in [("add", new), ("delete", gone)] where !services.isEmpty {
      lines.append("\(verb) element ip \(Self.table) services { \(services.map(Self.way).joined(separator: ", ")) }")
      lines.append("\(verb) element ip \(Self.table) addresses { \(services.map { "\($0.address)" }.joined(separator: ", ")) }")
    }
    lines += gone.flatMap { ["flush chain \(name($0))", "delete chain \(name($0))"] }
    return lines.joined(separator: "\n")
  }

  /// A connection's mark is its endpoint's address: so it is found when the endpoint is lost. What is not translated is refused.
  private func rules(_ service: Service) -> [String] {
    guard !service.endpoints.isEmpty else { return [] }
    let marks = service.endpoints.enumerated().map { "\($0) : 0x\(String($1.bits, radix: 16))" }.joined(separator: ", ")
    let pairs = Set(service.endpoints).sorted().map { "0x\(String($0.bits, radix: 16)) : \($0)" }.joined(separator: ", ")
    return [
      "ct mark set \(Self.turn(service)) map { \(marks) }",
      "meta l4proto { tcp, udp, icmp, sctp } dnat to ct mark map { \(pairs) }",
    ]
  }

  private static func turn(_ service: Service) -> String {
    let count = service.endpoints.count
    return switch service.strategy {
    // Nothing changes for a client whose endpoint stays: the order is the client's own.
    case .ipHash: "numgen inc mod 1"
    case .random: "numgen random mod \(count)"
    // Who has how many connections is not known here: in turn is the nearest.
    case .roundRobin, .leastConnections: "numgen inc mod \(count)"
    }
  }

  private static func way(_ service: Service) -> String { "\(service.address) : jump \(service.chain)" }
  private func name(_ service: Service) -> String { "ip \(Self.table) \(service.chain)" }
  private func sorted(_ services: [Service]) -> [Service] { services.sorted { $0.address < $1.address } }
  private func elements(_ items: [String]) -> String {
    items.isEmpty ? "" : "elements = { \(items.sorted().joined(separator: ", ")) }"
  }
}

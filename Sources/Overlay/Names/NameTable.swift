// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel

/// What names mean to a container: those of the networks it is on, and no others.
package struct NameTable: Sendable, Hashable {
  /// What is to be answered.
  enum Answer: Sendable, Hashable {
    /// None of ours: to be asked of the host's servers.
    case forward
    /// Nobody has the name, or, on networks without a way out, nobody who could be asked.
    case unknown
    /// Empty for a name that is known, but not with what was asked for.
    case records([DNSReply.Record])
  }

  private let networks: [Names]
  /// The containers by each of their addresses.
  private let containers: [IPv4Address: String]

  package init(_ networks: [OverlayNetwork]) {
    self.networks = networks.sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map(Names.init)
    containers = Dictionary(
      networks.flatMap { $0.endpoints.map { ($0.address, $0.id) } }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether a client may be a container of these networks, even one that is not told of yet.
  func mayKnow(_ client: IPv4Address) -> Bool { networks.contains { $0.subnet.contains(client) } }

  /// `turn` says with which of several addresses the answer begins.
  func answer(_ name: DNSName, _ kind: DNSQuery.Kind, to client: IPv4Address, turn: Int) -> Answer {
    let container = containers[client]
    let reachable = networks.filter { container.map($0.containers.contains) ?? $0.subnet.contains(client) }
    let isShutIn = !reachable.isEmpty && reachable.allSatisfy(\.isInternal)
    let nobody = isShutIn ? Answer.unknown : .forward
    if kind == .pointer, let address = name.reversedAddress {
      return reachable.firstNonNil { $0.names[address] }.flatMap(DNSName.init).map { .records([.pointer($0)]) } ?? nobody
    }
    guard let text = name.text, let addresses = reachable.firstNonNil({ $0.addresses(of: text) }) else { return nobody }
    if addresses.isEmpty { return .unknown }
    guard kind == .address || kind == .any else { return .records([]) }
    let first = turn % addresses.count
    return .records((addresses[first...] + addresses[..<first]).map(DNSReply.Record.address))
  }
}

extension NameTable {
  /// Those of one network.
  private struct Names: Sendable, Hashable {
    let subnet: IPv4Subnet
    let isInternal: Bool
    /// Who may ask.
    let containers: Set<String>
    /// A name without an address is that of a service without endpoints.
    private var known: [String: [IPv4Address]] = [:]
    /// Of each address the first, with the network's.
    private(set) var names: [IPv4Address: String] = [:]
    private let suffix: String

    init(_ network: OverlayNetwork) {
      (subnet, isInternal, suffix) = (network.subnet, network.isInternal, ".\(network.name.lowercased())")
      containers = Set(network.endpoints.map(\.id))
      for service in network.services {
        let own = service.virtualIP.map { [$0] } ?? service.endpoints
        for name in service.names {
          add(name, own)
          add("tasks.\(name)", service.endpoints)
        }
        if let address = service.virtualIP { call(address, service.names.first, network) }
      }
      for endpoint in network.endpoints {
        for name in endpoint.names { add(name, [endpoint.address]) }
        call(endpoint.address, endpoint.names.first, network)
      }
    }

    /// With or without the network's name behind; `nil` for a name that nobody has.
    func addresses(of name: String) -> [IPv4Address]? {
      known[name] ?? (name.hasSuffix(suffix) ? known[String(name.dropLast(suffix.count))] : nil)
    }

    private mutating func add(_ name: String, _ addresses: [IPv4Address]) {
      let name = name.lowercased()
      let before = known[name] ?? []
      known[name] = before + addresses.filter { !before.contains($0) }
    }

    private mutating func call(_ address: IPv4Address, _ name: String?, _ network: OverlayNetwork) {
      if let name, names[address] == nil { names[address] = "\(name).\(network.name)" }
    }
  }
}

extension Sequence {
  fileprivate func firstNonNil<Value>(_ body: (Element) -> Value?) -> Value? {
    for element in self { if let value = body(element) { return value } }
    return nil
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// What the packet filter has carried, as its own counters tell it, so that they outlive whoever installed the rules.
package struct OffloadCounts: Sendable, Hashable {
  /// A published port, and one of its endpoints; without one, those that are gone.
  package struct Key: Sendable, Hashable {
    package var port: UInt16
    package var endpoint: IPv4Address?

    package init(port: UInt16, endpoint: IPv4Address?) {
      self.port = port
      self.endpoint = endpoint
    }
  }

  package struct Counts: Sendable, Hashable {
    package var connections: UInt64 = 0
    /// Of packets from clients, headers included.
    package var bytesIn: UInt64 = 0
    /// Of packets to clients.
    package var bytesOut: UInt64 = 0
    /// At the moment.
    package var open: UInt32 = 0

    package init(connections: UInt64 = 0, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0, open: UInt32 = 0) {
      self.connections = connections
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
      self.open = open
    }

    package static func + (left: Self, right: Self) -> Self {
      Counts(
        connections: left.connections &+ right.connections, bytesIn: left.bytesIn &+ right.bytesIn,
        bytesOut: left.bytesOut &+ right.bytesOut, open: left.open &+ right.open)
    }
  }

  package private(set) var byKey: [Key: Counts] = [:]

  package init() {}

  /// From nftables' list of the table.
  init(listing: String) {
    var name: Substring?
    for line in listing.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" }
      if words.first == "counter", words.count >= 2 { name = words[1] }
      guard let counter = name, words.count >= 4, words[0] == "packets", words[2] == "bytes" else { continue }
      take(counter, packets: UInt64(words[1]) ?? 0, bytes: UInt64(words[3]) ?? 0)
      name = nil
    }
  }

  private mutating func take(_ counter: Substring, packets: UInt64, bytes: UInt64) {
    let parts = counter.split(separator: "-")
    guard parts.count >= 2, let port = UInt16(parts[1]) else { return }
    let key = Key(port: port, endpoint: parts.count > 2 ? IPv4Address(String(parts[2])) : nil)
    switch parts[0] {
    case Name.new: byKey[key, default: .init()].connections = packets
    case Name.into: byKey[key, default: .init()].bytesIn = bytes
    case Name.out: byKey[key, default: .init()].bytesOut = bytes
    default: break
    }
  }

  enum Name {
    static let (new, into, out) = ("new", "in", "out")

    static func of(_ kind: String, _ key: Key) -> String { "\(kind)-\(key.port)" + (key.endpoint.map { "-\($0)" } ?? "") }
  }

  /// A connection that is open now.
  mutating func addOpen(_ key: Key) { byKey[key, default: .init()].open += 1 }

  /// With these endpoints alone; what the others had is their ports', and that of ports that are gone is nobody's.
  func carried(to keys: Set<Key>) -> OffloadCounts {
    var carried = self
    let ports = Set(keys.map(\.port))
    for (key, counts) in byKey where !keys.contains(key) {
      guard key.endpoint != nil || !ports.contains(key.port) else { continue }
      carried.byKey[key] = nil
      guard ports.contains(key.port) else { continue }
      let gone = Key(port: key.port, endpoint: nil)
      carried.byKey[gone] = (carried.byKey[gone] ?? .init()) + counts
    }
    return carried
  }

  package subscript(_ key: Key) -> Counts { byKey[key] ?? .init() }

  /// The counters' definitions, going on from here, for these endpoints and the ports' own.
  func definitions(for keys: Set<Key>) -> [String] {
    let all = keys.union(keys.map { Key(port: $0.port, endpoint: nil) })
    return all.sorted { ($0.port, $0.endpoint?.bits ?? 0) < ($1.port, $1.endpoint?.bits ?? 0) }.flatMap { key in
      let counts = self[key]
      return [(Name.new, counts.connections, 0), (Name.into, 0, counts.bytesIn), (Name.out, 0, counts.bytesOut)].map {
        "counter \(Name.of($0, key)) { packets \($1) bytes \($2); }"
      }
    }
  }
}

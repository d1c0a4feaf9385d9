// SPDX-License-Identifier: Apache-2.0

/// Maglev's consistent hashing: a lookup table in which every member owns nearly the same number of entries, and in which
/// few entries change owner when a member comes or goes (Eisenbud et al., NSDI 2016, section 3.4).
package struct Maglev: Sendable {
  /// A prime, about a hundred times the members a listener usually has: imbalance stays near one per cent.
  package static let size = 65_537
  /// For the packet filter, where each entry costs memory and time at every change.
  package static let smallSize = 1_021
  /// The most members a table takes.
  package static let capacity = Int(UInt16.max)

  /// The index of each entry's member.
  package let owners: [UInt16]

  /// The table depends on the members' order, so give them sorted. At least one, at most `capacity`. `size` is a prime.
  package init(members: [String], size: Int = Maglev.size) {
    var owners = [UInt16](repeating: 0, count: size)
    var taken = [Bool](repeating: false, count: size)
    var walks = members.prefix(Self.capacity).map { Walk($0, size) }
    var filled = 0
    while filled < size, !walks.isEmpty {
      for member in walks.indices where filled < size {
        while taken[walks[member].position] { walks[member].advance() }
        taken[walks[member].position] = true
        owners[walks[member].position] = UInt16(member)
        filled += 1
      }
    }
    self.owners = owners
  }

  /// The index of the member that owns `hash`, or of the owner of the entry `offset` places further.
  package func owner(of hash: UInt64, offset: Int = 0) -> Int {
    Int(owners[(Int(hash % UInt64(owners.count)) + offset) % owners.count])
  }

  /// A member's preference list: all entries, in an order of its own.
  private struct Walk {
    private(set) var position: Int
    private let skip: Int
    private let size: Int

    init(_ name: String, _ size: Int) {
      self.size = size
      position = Int(StableHash.hash(name, seed: 1) % UInt64(size))
      skip = Int(StableHash.hash(name, seed: 2) % UInt64(size - 1)) + 1
    }

    mutating func advance() {
      position += skip
      if position >= size { position -= size }
    }
  }
}

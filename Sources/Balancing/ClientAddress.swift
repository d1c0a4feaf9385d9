// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A client's address: 16 bytes, IPv4 as `::ffff:a.b.c.d`, the way a dual-stack socket reports it.
package struct ClientAddress: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(_ address: IPv4Address) {
    self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address.bits))
  }

  /// Bytes in network order; `bytes` beyond 16 are ignored and missing ones count as zero.
  package init(bytes: some Sequence<UInt8>) {
    var words: (UInt64, UInt64) = (0, 0)
    for (index, byte) in bytes.prefix(16).enumerated() {
      if index < 8 { words.0 |= UInt64(byte) << (56 - 8 * index) } else { words.1 |= UInt64(byte) << (120 - 8 * index) }
    }
    self.init(high: words.0, low: words.1)
  }

  /// `nil` for an IPv6 client.
  package var ipv4: IPv4Address? { high == 0 && low >> 32 == 0xffff ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil }

  /// The same on every node and in every process, so that a client meets the same endpoint wherever it enters.
  var stableHash: UInt64 { StableHash.mix(StableHash.mix(high) ^ low) }
}

/// Hashing without a per-process seed (`Hasher` has one): Maglev tables must be equal on all nodes.
enum StableHash {
  /// The finaliser of SplitMix64: each input bit changes each output bit with probability near one half.
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// FNV-1a, finalised; `seed` gives independent hashes of one text.
  static func hash(_ text: String, seed: UInt64) -> UInt64 {
    var hash = 0xcbf2_9ce4_8422_2325 ^ mix(seed)
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return mix(hash)
  }
}

/// A small fast generator for choices that need no secrecy. The system's costs a system call per number.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    defer { state &+= 0x9e37_79b9_7f4a_7c15 }
    return StableHash.mix(state)
  }
}

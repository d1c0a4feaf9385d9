// SPDX-License-Identifier: Apache-2.0

import Glibc

@testable import Balancing
@testable import DataPlane

/// Makes wrong bytes of right ones, the same for the same seed.
struct Mutator: RandomNumberGenerator {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func next() -> UInt64 { random.next() }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }

  mutating func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) } }

  /// One to four changes, of the kinds that break parsers: numbers at their edges, parts missing, repeated or exchanged.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) { mutate(&bytes) }
    return bytes
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes = noise(below(16)) }
    let place = below(bytes.count)
    switch below(8) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][below(5)]
    case 2: overwrite(&bytes, at: place, edge())
    case 3: bytes.removeLast(bytes.count - place)
    case 4: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(32)))
    case 5: bytes.insert(contentsOf: noise(1 + below(32)), at: place)
    case 6: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(64))], at: below(bytes.count))
    default: bytes.swapAt(place, below(bytes.count))
    }
  }

  /// A number as lengths and counts are written, of a value that lengths and counts should not have.
  private mutating func edge() -> [UInt8] {
    [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0xff, 0xff], [0, 1, 0, 0], [0x80, 0, 0, 0]][below(6)]
  }

  private func overwrite(_ bytes: inout [UInt8], at place: Int, _ new: [UInt8]) {
    for (offset, byte) in new.enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
  }

  /// A table with anything a table may have.
  mutating func table(_ generation: UInt64) -> EndpointTable {
    let listeners = (0..<below(20)).map { number in
      Listener(
        id: "service-\(number)", port: UInt16(truncatingIfNeeded: next()), transport: below(2) == 0 ? .tcp : .udp,
        strategy: Strategy.allCases[below(4)],
        limits: ListenerLimits(
          connections: below(2) == 0 ? nil : UInt32(1 + below(99)), idle: below(2) == 0 ? nil : .seconds(below(99))),
        endpoints: (0..<below(12)).map {
          Endpoint(
            id: "task-\($0)", address: .loopback, port: UInt16(truncatingIfNeeded: next()),
            state: below(2) == 0 ? .ready : .draining)
        })
    }
    return EndpointTable(generation: generation, listeners: listeners)
  }
}

/// How much to try, and beginning with which seed. `scripts/fuzz-relay` sets more.
enum FuzzPlan {
  static let seed = number("SKEP_FUZZ_SEED") ?? 1
  /// Rounds of each kind.
  static func rounds(_ usual: UInt64) -> UInt64 { usual * (number("SKEP_FUZZ_FACTOR") ?? 1) }

  private static func number(_ name: String) -> UInt64? {
    guard let value = getenv(name) else { return nil }
    return UInt64(String(cString: value))
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Why an endpoint did not take a connection. The numbers are those of the control protocol: they stay, and new ones come at the end.
package enum ConnectFailure: UInt8, CaseIterable, Sendable {
  case other = 0
  /// Its host said that nobody listens there.
  case refused = 1
  /// It did not accept in time.
  case timedOut = 2
  /// No way leads there.
  case unreachable = 3
  /// It left the table before it had accepted.
  case withdrawn = 4

  package var name: String {
    switch self {
    case .other: "other"
    case .refused: "refused"
    case .timedOut: "timeout"
    case .unreachable: "unreachable"
    case .withdrawn: "withdrawn"
    }
  }
}

/// Why a client was turned away. The numbers are those of the control protocol: they stay, and new ones come at the end.
package enum RefusalReason: UInt8, CaseIterable, Sendable {
  case other = 0
  /// None was ready, or none of those that were took the connection.
  case noEndpoint = 1
  /// All places were taken, the listener's or the relay's.
  case limit = 2

  package var name: String {
    switch self {
    case .other: "other"
    case .noEndpoint: "no-endpoint"
    case .limit: "limit"
    }
  }
}

extension Dictionary where Value == UInt64 {
  package mutating func count(_ key: Key) { self[key, default: 0] &+= 1 }

  package var total: UInt64 { values.reduce(0, &+) }
}

extension BinaryWriter {
  /// Those kinds that have been seen, in the order of their numbers.
  package mutating func write<Kind: RawRepresentable<UInt8>>(_ counts: [Kind: UInt64]) {
    write(UInt8(counts.count))
    for (kind, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      write(kind.rawValue)
      write(count)
    }
  }
}

extension BinaryReader {
  /// A kind of a later release is counted as `unknown`.
  package mutating func readCounts<Kind: RawRepresentable<UInt8> & Hashable>(unknown: Kind) throws(BinaryCodingError) -> [Kind:
    UInt64]
  {
    var counts: [Kind: UInt64] = [:]
    for _ in 0..<(try read(UInt8.self)) {
      let kind = Kind(rawValue: try read()) ?? unknown
      counts[kind, default: 0] &+= try read()
    }
    return counts
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Packets on a stream: each behind its length (RFC 1035, section 4.2.2).
struct DNSFrames: Sendable, Hashable {
  private var bytes: [UInt8] = []

  /// What is taken out after each piece leaves less than the longest packet.
  mutating func append(_ piece: [UInt8]) { bytes += piece }

  /// The next whole one.
  mutating func next() -> [UInt8]? {
    guard bytes.count >= 2 else { return nil }
    let end = 2 + Int(bytes.number(at: 0))
    guard bytes.count >= end else { return nil }
    defer { bytes.removeFirst(end) }
    return Array(bytes[2..<end])
  }

  static func frame(_ packet: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.write(UInt16(truncatingIfNeeded: packet.count))
    return bytes + packet
  }
}

// SPDX-License-Identifier: Apache-2.0

/// One question of a client (RFC 1035, section 4; RFC 6891).
struct DNSQuery: Sendable, Hashable {
  struct Kind: RawRepresentable, Sendable, Hashable {
    let rawValue: UInt16

    static let address = Kind(rawValue: 1)
    static let pointer = Kind(rawValue: 12)
    static let any = Kind(rawValue: 255)
  }

  /// What came instead of a question that can be answered.
  enum Refusal: Error, Sendable, Hashable {
    /// It deserves no answer: it is too short for one, or is itself an answer.
    case silence
    /// A packet to answer with.
    case reply([UInt8])
  }

  let id: UInt16
  let isRecursive: Bool
  let name: DNSName
  let kind: Kind
  /// The most bytes that a datagram with the answer may have; `nil` for a client that does not say, and so takes 512.
  let datagramSize: UInt16?
  /// As it came, for whoever else is asked.
  let packet: [UInt8]

  init(_ packet: [UInt8]) throws(Refusal) {
    guard packet.count >= DNSReply.headerSize, packet[2] & 0x80 == 0 else { throw .silence }
    guard packet[2] & 0x78 == 0 else { throw .reply(DNSReply.refusal(of: packet, .notImplemented)) }
    var offset = DNSReply.headerSize
    // Nobody asks several questions at once: what their answer would mean was never said.
    guard packet.number(at: 4) == 1, let name = DNSName(packet, at: &offset), offset + 4 <= packet.count else {
      throw .reply(DNSReply.refusal(of: packet, .formatError))
    }
    guard packet.number(at: offset + 2) == Self.internet else { throw .reply(DNSReply.refusal(of: packet, .refused)) }
    self.name = name
    kind = Kind(rawValue: packet.number(at: offset))
    id = packet.number(at: 0)
    isRecursive = packet[2] & 1 != 0
    datagramSize = Self.datagramSize(packet, behind: offset + 4)
    self.packet = packet
  }

  private static let internet: UInt16 = 1
  private static let options: UInt16 = 41

  /// The most bytes of a datagram with the answer.
  var limit: Int { max(512, min(Int(datagramSize ?? 0), DNSReply.datagramSize)) }

  /// The name and what is asked about it, as they came.
  var question: [UInt8] {
    Array(packet[DNSReply.headerSize..<DNSReply.headerSize + name.bytes.count + 4])
  }

  /// From the record that says so; it stands first behind a question with nothing else, and elsewhere it is not looked for.
  private static func datagramSize(_ packet: [UInt8], behind offset: Int) -> UInt16? {
    let hasOnlyAdditions = packet.number(at: 6) == 0 && packet.number(at: 8) == 0 && packet.number(at: 10) > 0
    guard hasOnlyAdditions, offset + 11 <= packet.count, packet[offset] == 0, packet.number(at: offset + 1) == options else {
      return nil
    }
    return packet.number(at: offset + 3)
  }
}

extension [UInt8] {
  /// In the network's order; 0 where there are no two bytes.
  func number(at offset: Int) -> UInt16 {
    offset + 2 <= count ? UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) : 0
  }

  mutating func write(_ number: UInt16) { self += [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }
}

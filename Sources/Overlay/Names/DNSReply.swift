// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Answers as packets.
enum DNSReply {
  enum Code: UInt8, Sendable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
  }

  enum Record: Sendable, Hashable {
    case address(IPv4Address)
    case pointer(DNSName)
  }

  static let headerSize = 12
  /// The most that is sent in a datagram: it passes every network in one piece (DNS flag day 2020).
  static let datagramSize = 1_232
  static let streamSize = Int(UInt16.max)
  /// Seconds for which a client may keep an answer: endpoints come and go.
  static let lifetime: UInt16 = 2

  /// To a question; of records that do not fit into `limit` bytes as many are left out as must be, and the packet says so.
  static func packet(to query: DNSQuery, _ code: Code, _ records: [Record] = [], limit: Int) -> [UInt8] {
    let options = query.datagramSize == nil ? [] : options
    var body: [UInt8] = []
    var count: UInt16 = 0
    for record in records.map(bytes) {
      guard headerSize + query.question.count + body.count + record.count + options.count <= limit, count < .max else { break }
      body += record
      count += 1
    }
    let isCut = Int(count) < records.count
    var packet: [UInt8] = []
    packet.write(query.id)
    // An answer, authoritative, perhaps cut, to one who did or did not ask for more; more is to be had here.
    packet += [0x84 | (isCut ? 2 : 0) | (query.isRecursive ? 1 : 0), 0x80 | code.rawValue]
    for number in [1, count, 0, options.isEmpty ? 0 : 1] as [UInt16] { packet.write(number) }
    return packet + query.question + body + options
  }

  /// To what could not be read, without any of it.
  static func refusal(of packet: [UInt8], _ code: Code) -> [UInt8] {
    Array(packet.prefix(2)) + [0x80 | packet[2] & 0x79, 0x80 | code.rawValue] + [UInt8](repeating: 0, count: 8)
  }

  private static var options: [UInt8] {
    var bytes: [UInt8] = [0]
    for number in [41, UInt16(datagramSize), 0, 0, 0] as [UInt16] { bytes.write(number) }
    return bytes
  }

  private static func bytes(_ record: Record) -> [UInt8] {
    let (kind, data): (DNSQuery.Kind, [UInt8]) =
      switch record {
      case .address(let address): (.address, (0..<4).map { UInt8(truncatingIfNeeded: address.bits >> (24 - 8 * $0)) })
      case .pointer(let name): (.pointer, name.bytes)
      }
    // Its name is the question's, which begins behind the header.
    var bytes: [UInt8] = [0xC0, UInt8(headerSize)]
    for number in [kind.rawValue, 1, 0, lifetime, UInt16(truncatingIfNeeded: data.count)] { bytes.write(number) }
    return bytes + data
  }
}

/// What another server answered.
struct ForwardedReply: Sendable, Hashable {
  let packet: [UInt8]

  /// `nil` unless it answers this question, asked with that id.
  init?(_ packet: [UInt8], to query: DNSQuery, id: UInt16) {
    guard packet.count >= DNSReply.headerSize, packet[2] & 0x80 != 0, packet.number(at: 0) == id else { return nil }
    let question = packet.dropFirst(DNSReply.headerSize).prefix(query.question.count)
    // A server that refuses may leave the question out.
    guard packet.number(at: 4) == 0 ? packet[3] & 0x0F != 0 : question.elementsEqual(query.question) else { return nil }
    self.packet = packet
  }

  var isCut: Bool { packet[2] & 2 != 0 }
  /// Another server may know more: this one failed, cannot, or does not want to.
  var isUseless: Bool {
    [.serverFailure, .notImplemented, .refused].contains(DNSReply.Code(rawValue: packet[3] & 0x0F))
  }

  /// With the id that the client gave it.
  func packet(for query: DNSQuery) -> [UInt8] { Array(query.packet.prefix(2)) + packet.dropFirst(2) }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

@testable import Overlay

/// Questions and answers as a client makes and reads them.
enum DNSPackets {
  static func question(_ name: String, _ kind: UInt16 = 1, id: UInt16 = 7, datagramSize: UInt16? = nil) -> [UInt8] {
    var packet: [UInt8] = []
    for number in [id, 0x0100, 1, 0, 0, datagramSize == nil ? 0 : 1] as [UInt16] { packet.write(number) }
    packet += name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    for number in [kind, 1] as [UInt16] { packet.write(number) }
    guard let datagramSize else { return packet }
    packet.append(0)
    for number in [41, datagramSize, 0, 0, 0] as [UInt16] { packet.write(number) }
    return packet
  }

  struct Answer: Hashable {
    var code: UInt8 = 0
    var isCut = false
    var records: [String] = []
  }

  /// `nil` for a packet that is none, or that does not answer question 7.
  static func read(_ packet: [UInt8]) -> Answer? {
    guard packet.count >= 12, packet.number(at: 0) == 7, packet[2] & 0x80 != 0 else { return nil }
    var answer = Answer(code: packet[3] & 0x0F, isCut: packet[2] & 2 != 0)
    var offset = 12
    if packet.number(at: 4) == 1 {
      guard DNSName(packet, at: &offset) != nil else { return nil }
      offset += 4
    }
    for _ in 0..<packet.number(at: 6) {
      guard packet.number(at: offset) == 0xC00C, packet.number(at: offset + 4) == 1 else { return nil }
      let (kind, length) = (packet.number(at: offset + 2), Int(packet.number(at: offset + 10)))
      var data = offset + 12
      offset = data + length
      guard offset <= packet.count else { return nil }
      switch kind {
      case 1: answer.records.append(packet[data..<offset].map(String.init).joined(separator: "."))
      case 12: answer.records.append(DNSName(packet, at: &data)?.text ?? "")
      default: return nil
      }
    }
    return answer
  }
}

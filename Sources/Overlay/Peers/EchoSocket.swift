// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import Netfilter

/// Asks hosts whether they are there (ICMP echo, RFC 792), and hears their answers. Never blocks.
final class EchoSocket: Sendable {
  let descriptor: Int32
  /// Tells this socket's answers from those to others.
  private let identifier: UInt16

  init() throws(NetfilterError) {
    descriptor = socket(AF_INET, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), Int32(IPPROTO_ICMP))
    guard descriptor >= 0 else {
      throw NetfilterError(.system, "a socket for probes cannot be had: \(String(cString: strerror(errno)))")
    }
    identifier = UInt16.random(in: 0...UInt16.max)
    // ICMP_FILTER of SOL_RAW: all but echo replies.
    var others: UInt32 = ~1
    setsockopt(descriptor, 255, 1, &others, socklen_t(MemoryLayout<UInt32>.size))
  }

  deinit { close(descriptor) }

  /// What cannot be sent is as if it had been lost on the way.
  func ask(_ address: IPv4Address, round: UInt16) {
    var packet: [UInt8] = [8, 0, 0, 0]
    for number in [identifier, round] { packet += [UInt8(number >> 8), UInt8(number & 255)] }
    let sum = Self.checksum(packet)
    packet.replaceSubrange(2..<4, with: [UInt8(sum >> 8), UInt8(sum & 255)])
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_addr.s_addr = address.bits.bigEndian
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Who has answered that round's question since the last call.
  func answers(round: UInt16) -> [IPv4Address] {
    var found: [IPv4Address] = []
    var buffer = [UInt8](repeating: 0, count: 256)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return found }
      if let address = answer(buffer[..<count], round) { found.append(address) }
    }
  }

  private func answer(_ packet: ArraySlice<UInt8>, _ round: UInt16) -> IPv4Address? {
    let header = Int((packet.first ?? 0) & 15) * 4
    guard header >= 20, packet.count >= header + 8, packet[header] == 0 else { return nil }
    let number = { (at: Int) in UInt16(packet[at]) << 8 | UInt16(packet[at + 1]) }
    guard number(header + 4) == identifier, number(header + 6) == round else { return nil }
    return IPv4Address(bits: packet[12..<16].reduce(0) { $0 << 8 | UInt32($1) })
  }

  /// The Internet's (RFC 1071), of an even number of bytes.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) { sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1]) }
    while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
    return ~UInt16(sum)
  }
}

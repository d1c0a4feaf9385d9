// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Overlay

@Suite("Packets with questions about names")
struct DNSTests {
  @Test(
    "that cannot be answered are refused in a word, or passed over",
    arguments: [
      ([], nil), ([UInt8](repeating: 0, count: 11), nil),
      // An answer; no question; two; another kind of request; another class; a pointer to itself, and one ahead; a name cut short;
      // a label too long; a name without an end.
      (edit(2, 0x81), nil), (edit(5, 0), 1), (edit(5, 2), 1), (edit(2, 0x11), 4), (edit(20, 3), 5),
      (edit(12, 0xC0, 0x0C), 1), (edit(12, 0xC0, 0x20), 1), (Array(DNSPackets.question("web").prefix(14)), 1),
      (edit(12, 0x40), 1),
      (header + [UInt8](repeating: 1, count: 300), 1), (Array(DNSPackets.question("web").prefix(19)), 1),
    ] as [([UInt8], UInt8?)])
  func refused(_ packet: [UInt8], _ code: UInt8?) {
    let refusal = #expect(throws: DNSQuery.Refusal.self) { try DNSQuery(packet) }
    let expected = code.map {
      DNSQuery.Refusal.reply([0, 7, 0x80 | packet[2] & 0x79, 0x80 | $0] + [UInt8](repeating: 0, count: 8))
    }
    #expect(refusal == expected ?? .silence)
  }

  private static let header = Array(DNSPackets.question("web").prefix(12))

  private static func edit(_ offset: Int, _ bytes: UInt8...) -> [UInt8] {
    var packet = DNSPackets.question("web")
    packet.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return packet
  }

  @Test(
    "are answered with as much as fits",
    arguments: [(nil, 30), (100, 29), (1_000, 60), (4_096, 74)] as [(UInt16?, Int)])
  func size(_ datagramSize: UInt16?, _ count: Int) throws {
    let query = try DNSQuery(DNSPackets.question("tasks.webs", datagramSize: datagramSize))
    let records = (0..<100).map { DNSReply.Record.address(IPv4Address(bits: 0x0A00_0100 + UInt32($0))) }
    let packet = DNSReply.packet(to: query, .noError, records, limit: query.limit)
    #expect(packet.count <= query.limit)
    let all = records.indices.map { "10.0.1.\($0)" }
    #expect(DNSPackets.read(packet) == .init(isCut: true, records: Array(all.prefix(count))))
    let whole = DNSReply.packet(to: query, .noError, records, limit: DNSReply.streamSize)
    #expect(DNSPackets.read(whole) == .init(records: all))
  }

  @Test(
    "whatever comes, nothing breaks, nothing grows, and answers keep the question's spelling", arguments: [1, 2, 3] as [UInt64])
  func noise(seed: UInt64) throws {
    var noise = Noise(state: seed)
    var (understood, refused, broken) = (0, 0, [[UInt8]]())
    for round in 0..<4_000 {
      var packet = DNSPackets.question(
        round % 2 == 0 ? "Tasks.Web.front" : "5.1.0.10.in-addr.arpa", datagramSize: round % 3 == 0 ? nil : 900)
      for _ in 0..<noise.next() % 4 {
        packet[Int(noise.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: noise.next() >> 8)
      }
      if noise.next() % 4 == 0 { packet = Array(packet.prefix(Int(noise.next() % UInt64(packet.count + 1)))) }
      if noise.next() % 8 == 0 { packet += (0..<noise.next() % 50).map { _ in UInt8(truncatingIfNeeded: noise.next() >> 16) } }
      do {
        let query = try DNSQuery(packet)
        let records = Array(repeating: DNSReply.Record.pointer(query.name), count: 20)
        let reply = DNSReply.packet(to: query, .noError, records, limit: query.limit)
        let isRight =
          reply.count <= query.limit && Array(reply[12..<12 + query.question.count]) == query.question && query.packet == packet
          && ForwardedReply(reply, to: query, id: query.id) != nil && ForwardedReply(packet, to: query, id: query.id) == nil
        if !isRight { broken.append(packet) }
        understood += 1
      } catch {
        if case .reply(let reply) = error, reply.count != 12 || reply[2] & 0x80 == 0 { broken.append(packet) }
        refused += 1
      }
    }
    #expect(understood > 1_000 && refused > 1_000 && broken == [])
  }

  private struct Noise {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 20
    }
  }

  @Test("pieces of a stream become packets again", arguments: [1, 2, 3, 7, 100])
  func frames(piece: Int) {
    let packets: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 300)]
    let stream = packets.flatMap(DNSFrames.frame)
    var (frames, found) = (DNSFrames(), [[UInt8]]())
    for begin in stride(from: 0, to: stream.count, by: piece) {
      frames.append(Array(stream[begin..<min(begin + piece, stream.count)]))
      while let packet = frames.next() { found.append(packet) }
    }
    #expect(found == packets)
  }

  @Test("this host's servers are those of its resolver's file")
  func servers() {
    let text =
      "# nameserver 10.0.0.1\nsearch a b\nnameserver 10.0.0.2\n\tnameserver   fd00::1 \nnameserver x\nnameserver\nnameserver 10.0.0.4\nnameserver 10.0.0.5\n"
    #expect(HostResolvers.servers(text).map(\.ipAddress) == ["10.0.0.2", "fd00::1", "10.0.0.4"])
    #expect(HostResolvers.servers("").isEmpty)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Balancing

@Suite("Whose address is kept")
struct SourcePolicyTests {
  private static let inside = ["127.0.0.0/8", "192.168.1.5/32", "10.0.0.0/24", "172.17.0.0/16"].compactMap { IPv4Subnet($0) }

  @Test(
    "clients outside keep theirs, those inside do not",
    arguments: [
      ("192.168.1.6", true), ("192.168.1.5", false), ("127.0.0.1", false), ("127.255.0.9", false), ("10.0.0.77", false),
      ("10.0.1.77", true), ("172.17.3.4", false), ("172.18.0.1", true), ("8.8.8.8", true),
    ])
  func inside(client: String, isKept: Bool) throws {
    let address = try #require(IPv4Address(client))
    let policy = SourcePolicy(keeps: true, inside: Self.inside)
    #expect(policy.source(for: ClientAddress(address)) == (isKept ? address : nil))
    #expect(SourcePolicy(keeps: false, inside: []).source(for: ClientAddress(address)) == nil)
  }

  @Test("IPv6 clients are served from this host's address")
  func version6() {
    let client = ClientAddress(bytes: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    #expect(SourcePolicy(keeps: true, inside: []).source(for: client) == nil)
  }

  @Test("order and repetition of the networks inside make no difference")
  func canonical() {
    let policy = SourcePolicy(keeps: true, inside: Self.inside)
    #expect(policy == SourcePolicy(keeps: true, inside: Self.inside.reversed() + Self.inside))
  }

  @Test("a policy survives coding, and what is none is refused")
  func coding() throws {
    let policy = SourcePolicy(keeps: true, inside: Self.inside)
    var writer = BinaryWriter()
    policy.encode(into: &writer)
    var reader = BinaryReader(writer.bytes)
    #expect(try SourcePolicy(from: &reader) == policy)
    for (offset, byte) in [(0, UInt8(2)), (9, 33)] {
      var bytes = writer.bytes
      bytes[offset] = byte
      var damaged = BinaryReader(bytes)
      #expect(throws: BinaryCodingError.self) { try SourcePolicy(from: &damaged) }
    }
    for length in 0..<writer.bytes.count {
      var short = BinaryReader(Array(writer.bytes.prefix(length)))
      #expect(throws: BinaryCodingError.self) { try SourcePolicy(from: &short) }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Balancing

@Suite("Endpoint tables")
struct EndpointTableTests {
  private static let example = EndpointTable(
    generation: 1 << 40,
    listeners: [
      Listener(
        id: "web:80", port: 8080, strategy: .ipHash, limits: ListenerLimits(connections: 900, idle: .milliseconds(1_500)),
        endpoints: [
          Endpoint(id: "täsk", address: IPv4Address(bits: 0x0a00_0001), port: 80),
          Endpoint(id: "b", address: .loopback, port: 65_535, state: .draining),
        ]),
      Listener(id: "empty", port: 1), Listener(id: "half", port: 2, limits: ListenerLimits(connections: .max)),
      // Found by the fuzzer: the longest time there is.
      Listener(id: "long", port: 3, limits: ListenerLimits(idle: .milliseconds(UInt32.max))),
    ])

  @Test("come back as they were", arguments: [example, EndpointTable(generation: 0)])
  func roundTrip(table: EndpointTable) throws {
    #expect(try EndpointTable(decoding: table.encoded()) == table)
  }

  @Test("cut anywhere are refused")
  func truncated() {
    let bytes = Self.example.encoded()
    for count in bytes.indices {
      #expect(throws: BinaryCodingError.self) { try EndpointTable(decoding: Array(bytes[..<count])) }
    }
  }

  @Test("with one bit turned are refused or are another table, never the same and never a crash")
  func damaged() {
    let bytes = Self.example.encoded()
    for position in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        let decoded = try? EndpointTable(decoding: damaged)
        #expect(decoded != Self.example)
      }
    }
  }

  @Test("of noise are refused")
  func noise() {
    var generator = SplitMix64(seed: 42)
    for size in 0..<500 {
      let bytes = [1] + (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      #expect(throws: BinaryCodingError.self) { try EndpointTable(decoding: bytes) }
    }
  }

  @Test(
    "say why they are refused",
    arguments: [
      ([UInt8](example.encoded() + [0]), BinaryCodingError.Code.trailingBytes),
      ([9] + example.encoded().dropFirst(), .unsupportedVersion),
      // Four thousand million listeners in no bytes: refused before memory is asked for.
      ([4, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], .truncated),
      (
        EndpointTable(generation: 1, listeners: [Listener(id: "a", port: 1), Listener(id: "b", port: 1)]).encoded(), .invalidValue
      ),
      (
        EndpointTable(generation: 1, listeners: [Listener(id: "a", port: 1), Listener(id: "a", port: 2)]).encoded(), .invalidValue
      ),
      (
        EndpointTable(generation: 1, listeners: [Listener(id: "a", port: 1, endpoints: endpoints(1) + endpoints(1))]).encoded(),
        .invalidValue
      ),
    ])
  func reasons(bytes: [UInt8], code: BinaryCodingError.Code) {
    let error = #expect(throws: BinaryCodingError.self) { try EndpointTable(decoding: bytes) }
    #expect(error?.code == code)
  }
}

@Suite("Words of the table")
struct WordTests {
  @Test("strategies have the names users write")
  func strategies() {
    // What the API accepts is what the relay can do.
    #expect(Strategy.allNames == Labels.strategies)
    #expect(Strategy.allNames == ["round-robin", "least-connections", "ip-hash", "random"])
    #expect(Strategy.allNames.compactMap(Strategy.init(label:)) == Strategy.allCases)
    for label in ["", "Round-Robin", "roundrobin", " random", "maglev"] { #expect(Strategy(label: label) == nil) }
    #expect(Strategy.standard == .roundRobin)
  }

  @Test("addresses are four octets and nothing else", arguments: ["0.0.0.0", "127.0.0.1", "10.99.3.254", "255.255.255.255"])
  func addresses(text: String) throws {
    #expect(try #require(IPv4Address(text)).description == text)
  }

  @Test(
    "what is nearly an address is refused",
    arguments: [
      "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", "1..3.4", "1.2.3.4 ", "-1.2.3.4", "1.2.3.4/8", "::1",
      "1.2.3.٤",
    ])
  func notAddresses(text: String) {
    #expect(IPv4Address(text) == nil)
  }

  @Test("127.0.0.1 is in host order")
  func hostOrder() {
    #expect(IPv4Address("127.0.0.1")?.bits == 0x7f00_0001)
  }
}

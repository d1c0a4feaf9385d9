// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Testing

@testable import Overlay

@Suite("Names on overlay networks")
struct NameTableTests {
  private static func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? .loopback }
  private static func addresses(_ hosts: [Int], _ net: Int = 1) -> [IPv4Address] { hosts.map { address("10.0.\(net).\($0)") } }

  private static func network(
    _ number: Int, _ name: String, isInternal: Bool = false, _ endpoints: [Int: String], _ services: [OverlayService]
  ) -> OverlayNetwork {
    OverlayNetwork(
      id: "net\(number)", name: name, tunnel: 4_097, subnet: IPv4Subnet(base: address("10.0.\(number).0"), prefix: 24),
      gateway: address("10.0.\(number).1"), isInternal: isInternal,
      endpoints: endpoints.sorted { $0.key < $1.key }.map {
        OverlayEndpoint(
          id: $0.value, names: ["\($0.value).1.x", "c-\($0.value)"], address: address("10.0.\(number).\($0.key)"), nodeID: "n1")
      }, services: services)
  }

  private static let table = NameTable([
    network(
      1, "Front", [5: "web", 6: "web2", 9: "cli"],
      [
        OverlayService(
          id: "s1", names: ["web", "www"], virtualIP: address("10.0.1.2"), strategy: .roundRobin, endpoints: addresses([5, 6])),
        OverlayService(id: "s2", names: ["other", "www"], virtualIP: address("10.0.1.3"), strategy: .roundRobin, endpoints: []),
        OverlayService(id: "s3", names: ["rr"], virtualIP: nil, strategy: .roundRobin, endpoints: addresses([5, 6])),
        OverlayService(id: "s4", names: ["none"], virtualIP: nil, strategy: .roundRobin, endpoints: []),
      ]),
    network(
      2, "back", isInternal: true, [7: "db", 9: "cli", 8: "shut"],
      [OverlayService(id: "s5", names: ["db"], virtualIP: address("10.0.2.2"), strategy: .random, endpoints: addresses([7], 2))]),
  ])

  private static func ask(_ name: String, _ kind: UInt16 = 1, from client: String = "10.0.1.9", turn: Int = 0) throws -> String {
    let query = try DNSQuery(DNSPackets.question(name, kind))
    switch table.answer(query.name, query.kind, to: address(client), turn: turn) {
    case .forward: return "forward"
    case .unknown: return "unknown"
    case .records(let records):
      return records.map {
        switch $0 {
        case .address(let address): "\(address)"
        case .pointer(let name): name.text ?? "?"
        }
      }.joined(separator: " ")
    }
  }

  @Test(
    "mean addresses",
    arguments: [
      ("web", "10.0.1.2"), ("WEB.", "10.0.1.2"), ("web.front", "10.0.1.2"), ("www", "10.0.1.2 10.0.1.3"), ("other", "10.0.1.3"),
      ("tasks.web", "10.0.1.5 10.0.1.6"), ("tasks.www.front", "10.0.1.5 10.0.1.6"), ("rr", "10.0.1.5 10.0.1.6"),
      ("c-web", "10.0.1.5"), ("web2.1.x", "10.0.1.6"), ("db", "10.0.2.2"), ("db.back", "10.0.2.2"), ("db.front", "forward"),
      // Of a service that is known, there are no tasks.
      ("none", "unknown"), ("tasks.none", "unknown"), ("tasks.other", "unknown"),
      ("example.org", "forward"), ("web.example.org", "forward"), ("front", "forward"),
    ])
  func meanings(_ name: String, _ answer: String) throws { #expect(try Self.ask(name) == answer) }

  @Test("of several addresses each comes first in its turn")
  func turns() throws {
    #expect(try (0..<3).map { try Self.ask("rr", turn: $0) } == ["10.0.1.5 10.0.1.6", "10.0.1.6 10.0.1.5", "10.0.1.5 10.0.1.6"])
  }

  @Test(
    "are known with no more than IPv4 addresses, and addresses with their names",
    arguments: [
      ("web", 28, ""), ("web", 16, ""), ("web", 65, ""), ("web", 255, "10.0.1.2"), ("none", 28, "unknown"),
      ("example.org", 28, "forward"), ("5.1.0.10.in-addr.arpa", 12, "web.1.x.front"), ("2.1.0.10.IN-ADDR.arpa", 12, "web.front"),
      ("7.2.0.10.in-addr.arpa", 12, "db.1.x.back"), ("77.1.0.10.in-addr.arpa", 12, "forward"),
      ("1.0.10.in-addr.arpa", 12, "forward"), ("web", 12, ""),
    ])
  func kinds(_ name: String, _ kind: UInt16, _ answer: String) throws { #expect(try Self.ask(name, kind) == answer) }

  @Test(
    "belong to those who are on the network, and nothing leaves an internal one",
    arguments: [
      ("10.0.1.5", "db", "forward"), ("10.0.2.7", "db", "10.0.2.2"), ("10.0.2.9", "web", "10.0.1.2"),
      ("10.0.2.8", "web", "unknown"), ("10.0.2.8", "example.org", "unknown"), ("10.0.2.9", "example.org", "forward"),
      // One that is not told of yet, and one from elsewhere.
      ("10.0.1.200", "web", "10.0.1.2"), ("10.0.1.200", "db", "forward"), ("192.168.0.1", "web", "forward"),
    ])
  func scope(_ client: String, _ name: String, _ answer: String) throws {
    #expect(try Self.ask(name, from: client) == answer)
  }
}

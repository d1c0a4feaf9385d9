// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import NetworkTestKit
import Testing

@testable import Netlink

@Suite("Netlink")
struct NetlinkTests {
  private static let vxlan = VXLAN(id: 4096, local: address("10.77.0.1"), port: 4789, answersARP: true)
  private static let hardware = HardwareAddress(tunnelEnd: address("10.0.1.1"))

  private static func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? .loopback }
  private static func subnet(_ text: String) -> IPv4Subnet { IPv4Subnet(text) ?? IPv4Subnet(base: .loopback, prefix: 8) }

  @Test("a tunnel's end is made once, is listed as it was made, and goes")
  func tunnel() async throws {
    let (made, second, gone) = try await inNamespaceOfItsOwn {
      let socket = try NetlinkSocket(.route)
      try socket.makeVXLAN("skep-vx", Self.vxlan, hardwareAddress: Self.hardware, mtu: 1400)
      let made = try #require(try socket.link(named: "skep-vx"))
      try socket.setUp(made.index, mtu: 1300)
      let second = #expect(throws: NetlinkError.self) {
        try socket.makeVXLAN("skep-vx", Self.vxlan, hardwareAddress: Self.hardware, mtu: 1400)
      }
      let listed = try socket.links().first { $0.name == "skep-vx" }
      #expect(listed?.mtu == 1300 && listed?.isUp == true)
      try socket.removeLink(made.index)
      try socket.removeLink(made.index)
      return (made, second, try socket.link(named: "skep-vx"))
    }
    #expect(made.vxlan == Self.vxlan && made.hardwareAddress == Self.hardware && made.mtu == 1400 && made.kind == "vxlan")
    #expect(!made.isUp && made.master == 0)
    #expect(second?.isPresent == true && second?.description == "making tunnel skep-vx: File exists")
    #expect(gone == nil)
  }

  @Test(
    "neighbours, ways behind a tunnel, addresses, routes and rules are listed as they were given, replaced by key, and removed")
  func entries() async throws {
    try await inNamespaceOfItsOwn {
      let socket = try NetlinkSocket(.route)
      try socket.makeVXLAN("skep-vx", Self.vxlan, hardwareAddress: Self.hardware, mtu: 1450)
      let link = try #require(try socket.link(named: "skep-vx")).index
      try socket.setUp(link)
      let peer = HardwareAddress(tunnelEnd: Self.address("10.0.2.1"))
      let entries: Set<Neighbour> = [
        .address(Self.address("10.0.2.1"), peer), .forwarding(peer, to: Self.address("10.77.0.2")),
      ]
      for entry in entries { try socket.put(entry, link: link) }
      #expect(try socket.neighbours(of: link) == entries)
      try socket.put(.forwarding(peer, to: Self.address("10.77.0.9")), link: link)
      #expect(try socket.neighbours(of: link).contains(.forwarding(peer, to: Self.address("10.77.0.9"))))
      for entry in try socket.neighbours(of: link) { try socket.remove(entry, link: link) }
      for entry in entries { try socket.remove(entry, link: link) }
      #expect(try socket.neighbours(of: link) == [])

      try socket.put(Self.address("10.0.1.1"), prefix: 32, link: link)
      try socket.put(Self.address("10.0.1.1"), prefix: 32, link: link)
      #expect(try socket.addresses().filter { $0.link == link }.map(\.address) == [Self.address("10.0.1.1")])

      let next = Route.Next(link: link, gateway: Self.address("10.0.2.1"), source: Self.address("10.0.1.1"))
      let routes: Set<Route> = [
        Route(to: Self.subnet("10.0.2.0/24"), by: next), Route(to: Self.subnet("0.0.0.0/0"), table: 9102, by: next),
        Route(to: Self.subnet("0.0.0.0/0"), table: 9001, by: nil),
      ]
      for _ in 0..<2 { for route in routes { try socket.put(route) } }
      #expect(try socket.routes() == routes)
      for _ in 0..<2 { for route in routes { try socket.remove(route) } }
      #expect(try socket.routes() == [])

      let rule = RoutingRule(priority: 9002, interface: "skep-ingress", mark: 0x1000, mask: 0xFFF000, table: 9102)
      for _ in 0..<2 { try socket.put(rule) }
      #expect(try socket.rules(priorities: [9002]) == [rule])
      for _ in 0..<2 { try socket.remove(rule) }
      #expect(try socket.rules(priorities: [9002]) == [])
    }
  }

  @Test(
    "what the kernel would never send is cut off without harm",
    arguments: [[], [1], [4, 0, 1], [0, 0, 1, 0], [255, 255, 1, 0], [8, 0, 1, 0, 7], [5, 0, 2, 0, 9]] as [[UInt8]])
  func damaged(_ bytes: [UInt8]) {
    let found = NetlinkReply.attributes(bytes)
    #expect(found == (bytes == [5, 0, 2, 0, 9] ? [2: [9]] : [:]))
    #expect(NetlinkReply(type: 0, body: bytes).number(at: 4, UInt64.self) == 0)
  }
}

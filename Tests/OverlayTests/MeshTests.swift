// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Netfilter
import Netlink
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("The mesh of hosts")
struct MeshTests {
  private static func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? .loopback }

  private static func peer(_ number: UInt16) -> Peer {
    Peer(
      nodeID: "n\(number)", number: number, address: address("10.77.0.\(number)"),
      subnet: IPv4Subnet(base: address("10.0.\(number - 1).0"), prefix: 24))
  }

  private static func plan(_ own: UInt16, peers: ClosedRange<UInt16>) -> MeshPlan {
    let mesh = Mesh(
      own: peer(own), peers: peers.filter { $0 != own }.map(peer), pool: IPv4Subnet(base: address("10.0.0.0"), prefix: 16),
      port: 4_789)
    return MeshPlan(mesh: mesh, bridge: "skep-ingress")
  }

  @Test("is programmed once, follows hosts that come and go, and is put back when somebody changes it")
  func life() async throws {
    let seen = try await inNamespaceOfItsOwn {
      try TestNetwork.shell("ip link add wire type bridge && ip address add 10.77.0.1/24 dev wire && ip link set wire up")
      let kernel = try MeshKernel(bridge: "skep-ingress")
      let (filter, socket) = (try NFTables(), try NetlinkSocket(.route))
      var seen: [Int] = []
      func ensure(_ plan: MeshPlan) throws { seen.append(try kernel.ensure(plan)) }
      let three = Self.plan(1, peers: 1...3)
      try ensure(three)
      try ensure(three)
      let link = try #require(try socket.link(named: MeshPlan.device))
      #expect(link.mtu == 1_450 && link.isUp && link.vxlan == three.vxlan)
      #expect(try socket.neighbours(of: link.index) == three.neighbours)
      #expect(try socket.routes() == three.routes(link: link.index))
      #expect(try socket.rules(priorities: [MeshPlan.rulePriority]) == three.rules)
      #expect(Sysctl.get("net/ipv4/conf/\(MeshPlan.device)/rp_filter") == "2")
      try ensure(Self.plan(1, peers: 1...4))
      try ensure(Self.plan(1, peers: 1...2))
      try filter.run("flush ruleset")
      try ensure(Self.plan(1, peers: 1...2))
      try socket.remove(try #require(try socket.neighbours(of: link.index).first), link: link.index)
      try ensure(Self.plan(1, peers: 1...2))
      // Another subnet of this host's own, and so another tunnel.
      try ensure(Self.plan(2, peers: 1...2))
      try kernel.remove()
      try kernel.remove()
      #expect(try filter.run("list ruleset") == "" && socket.link(named: MeshPlan.device) == nil)
      #expect(try socket.routes() == [] && socket.rules(priorities: [MeshPlan.rulePriority]) == [])
      return seen
    }
    // A device, the settings, per peer two entries, two routes and a rule, and the filter.
    #expect(seen == [13, 0, 6, 11, 1, 1, 8])
  }

  @Test("a host alone has a tunnel that takes nothing")
  func alone() async throws {
    let listed = try await inNamespaceOfItsOwn {
      let kernel = try MeshKernel(bridge: "skep-ingress")
      #expect(try kernel.ensure(Self.plan(1, peers: 1...1)) == 3)
      return try NFTables().run("list table ip \(MeshRules.table)")
    }
    #expect(listed.contains("udp dport 4789 fib daddr type local drop"))
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Glibc
import Netfilter
import Netlink
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("Overlay networks on a host")
struct OverlayNetworkTests {
  private static func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? .loopback }

  /// With a container at 10.20.0.x on the node of each number.
  static func network(_ endpoints: [(UInt8, node: UInt16)], tunnel: UInt32 = 4_097) -> OverlayNetwork {
    OverlayNetwork(
      id: "net\(tunnel)", name: "net\(tunnel)", tunnel: tunnel, subnet: IPv4Subnet(base: address("10.20.0.0"), prefix: 24),
      gateway: address("10.20.0.1"),
      endpoints: endpoints.map {
        OverlayEndpoint(id: "c\($0.0)", names: [], address: address("10.20.0.\($0.0)"), nodeID: "n\($0.node)")
      })
  }

  private static func plan(_ endpoints: [(UInt8, node: UInt16)], tunnel: UInt32 = 4_097, on host: Int = 0) -> OverlayPlan {
    OverlayPlan(network(endpoints, tunnel: tunnel), HostPair.mesh(of: host))
  }

  @Test("a plan has what is on other hosts of the mesh, each address once, and nothing of its own host")
  func contents() {
    let plan = Self.plan([(5, 1), (6, 2), (7, 2), (7, 1), (8, 9)])
    #expect(plan.bridge == "skep-n4097" && plan.device == "skep-t4097" && OverlayPlan.device(of: 0xFF_FFFF).utf8.count <= 15)
    #expect(plan.vxlan == VXLAN(id: 4_097, local: Self.address("10.77.0.1"), port: 4_789, answersARP: true))
    #expect(plan.hardwareAddress.description == "fe:00:01:00:10:01")
    let hardware = [6, 7].map { HardwareAddress(container: Self.address("10.20.0.\($0)")) }
    #expect(hardware[0].description == "02:42:0a:14:00:06")
    let far = Self.address("10.77.0.2")
    #expect(
      plan.neighbours == [
        .address(Self.address("10.20.0.6"), hardware[0]), .forwarding(hardware[0], to: far),
        .address(Self.address("10.20.0.7"), hardware[1]), .forwarding(hardware[1], to: far),
      ])
  }

  @Test("are programmed once, join bridges that come, follow containers, and are put back when somebody changes them")
  func life() async throws {
    let seen = try await inNamespaceOfItsOwn {
      let (kernel, socket) = (try OverlayKernel(), try NetlinkSocket(.route))
      try TestNetwork.shell("ip link add wire type bridge && ip address add 10.77.0.1/24 dev wire && ip link set wire up")
      try TestNetwork.shell("ip address add 10.77.0.2/24 dev wire")
      var seen: [Int] = []
      func device(_ tunnel: UInt32 = 4_097) throws -> Link? { try socket.link(named: OverlayPlan.device(of: tunnel)) }
      func ensure(_ plans: OverlayPlan...) throws {
        seen.append(try kernel.ensure(plans))
        for plan in plans {
          let made = try #require(try device(plan.tunnel))
          let bridge = try socket.link(named: plan.bridge)
          #expect(made.vxlan == plan.vxlan && made.hardwareAddress == plan.hardwareAddress && made.isUp && made.mtu == 1_450)
          let entries = plan.neighbours.union(bridge == nil ? [] : plan.portEntries)
          #expect(try socket.neighbours(of: made.index) == entries && made.master == bridge?.index ?? 0)
          #expect(Sysctl.get("net/ipv6/conf/\(plan.device)/disable_ipv6") ?? "1" == "1")
        }
      }
      func change(_ command: String) throws { try TestNetwork.shell("ip \(command)") }
      let two = Self.plan([(5, 1), (6, 2), (7, 2)])
      try change("link add skep-tunnel type vxlan id 4096 dstport 4789")
      try change("link add skep-t1 type vxlan id 1 dstport 4789 && ip link add skep-t2 type bridge")
      for _ in 0..<2 { try ensure(two) }
      try change("link add skep-n4097 type bridge && ip link set skep-n4097 up")
      for _ in 0..<2 { try ensure(two) }
      for command in [
        "link set skep-t4097 nomaster", "link set skep-t4097 down", "link set skep-t4097 mtu 1300", "link delete skep-t4097",
        "neighbour flush dev skep-t4097 nud permanent", "link delete skep-n4097 && ip link add skep-n4097 type bridge",
      ] {
        try change(command)
        try ensure(two)
      }
      try ensure(Self.plan([(5, 1), (6, 2)]))
      try ensure(Self.plan([(5, 1), (6, 2)], on: 1), Self.plan([(6, 2)], tunnel: 4_098))
      #expect(try device(1) == nil && device(2)?.kind == "bridge" && socket.link(named: "skep-tunnel") != nil)
      try ensure(Self.plan([(6, 2)], tunnel: 4_098))
      #expect(try device() == nil)
      try kernel.remove()
      #expect(try device(4_098) == nil && socket.link(named: "skep-tunnel") != nil)
      return seen
    }
    #expect(seen == [6, 0, 0, 0, 3, 3, 1, 7, 2, 0, 3, 7, 1])
  }

  @Test(
    "a change touches what it is about alone; a look at everything puts back the rest, and so does one after a failure",
    arguments: [false, true])
  func differences(hasBridge: Bool) async throws {
    try await inNamespaceOfItsOwn {
      let (kernel, socket, mesh) = (try OverlayKernel(), try NetlinkSocket(.route), HostPair.mesh(of: 0))
      if hasBridge { try TestNetwork.shell("ip link add skep-n4097 type bridge && ip link set skep-n4097 up") }
      var plans = OverlayPlans()
      func follow(_ endpoints: [(UInt8, node: UInt16)]) throws -> Int {
        try plans.follow([Self.network(endpoints)], mesh).map { try kernel.ensure(plans.all, $0) } ?? -1
      }
      func missing() throws -> Int {
        let device = try #require(try socket.link(named: "skep-t4097"))
        let wanted = plans.all[0].neighbours.union(hasBridge ? plans.all[0].portEntries : [])
        return try socket.neighbours(of: device.index).symmetricDifference(wanted).count
      }
      #expect(try follow([(5, 1), (6, 2), (7, 2)]) > 0 && missing() == 0)
      #expect(try follow([(5, 1), (6, 2), (7, 2)]) == -1)
      let device = try #require(try socket.link(named: "skep-t4097"))
      try socket.remove(
        .address(Self.address("10.20.0.6"), HardwareAddress(container: Self.address("10.20.0.6"))), link: device.index)
      let each = hasBridge ? 3 : 2
      #expect(try follow([(5, 1), (6, 2), (7, 2), (8, 2)]) == each && missing() == 1)
      #expect(try follow([(5, 1), (6, 2), (7, 1), (8, 2)]) == each && missing() == 1)
      #expect(try kernel.ensure(plans.all) == 1 && missing() == 0)
      try TestNetwork.shell("ip link delete skep-t4097")
      #expect(try follow([(5, 1), (6, 2), (8, 2), (9, 2)]) > each && missing() == 0)
    }
  }

  @Test("what is planned by changes is what is planned anew, whatever changes", arguments: 0..<20 as Range<UInt64>)
  func following(seed: UInt64) throws {
    var generator = SplitMix(seed: seed)
    var plans = OverlayPlans()
    var kernel: [UInt32: Set<Neighbour>] = [:]
    var endpoints: [(UInt8, node: UInt16)] = []
    var host = 0
    for _ in 0..<200 {
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: host = 1 - host
      case 1..<8 where !endpoints.isEmpty: endpoints.remove(at: Int.random(in: 0..<endpoints.count, using: &generator))
      default: endpoints.append((UInt8.random(in: 2...20, using: &generator), UInt16.random(in: 1...3, using: &generator)))
      }
      endpoints.sort { $0.0 < $1.0 }
      let networks = [UInt32](4_097...4_098).prefix(Int.random(in: 0...2, using: &generator)).map {
        Self.network(endpoints, tunnel: $0)
      }
      let mesh = HostPair.mesh(of: host)
      let news = plans.follow(networks, mesh)
      let wanted = networks.map { OverlayPlan($0, mesh) }
      #expect(plans.all == wanted)
      kernel = kernel.filter { tunnel, _ in wanted.contains { $0.tunnel == tunnel } }
      for plan in plans.all where news != nil {
        guard let difference = news?[plan.tunnel] else { kernel[plan.tunnel] = plan.neighbours; continue }
        kernel[plan.tunnel]?.subtract(difference.removed)
        kernel[plan.tunnel]?.formUnion(difference.added)
      }
      #expect(kernel == Dictionary(uniqueKeysWithValues: wanted.map { ($0.tunnel, $0.neighbours) }))
    }
  }

  @Test("a tunnel whose advertised address is translated on the way is made to send from whatever address leads there")
  func translated() async throws {
    try await inNamespaceOfItsOwn {
      let (kernel, socket) = (try OverlayKernel(), try NetlinkSocket(.route))
      let plan = Self.plan([(6, 2)])
      func local() throws -> String? { try socket.link(named: plan.device)?.vxlan?.local.description }
      try kernel.ensure([plan])
      #expect(try local() == "0.0.0.0" && kernel.ensure([plan]) == 0)
      try TestNetwork.shell("ip link add wire type bridge && ip address add 10.77.0.1/24 dev wire && ip link set wire up")
      #expect(try kernel.ensure([plan]) > 0 && local() == "10.77.0.1")
      // One that goes for a moment takes nothing along.
      try TestNetwork.shell("ip address flush dev wire")
      _ = try kernel.ensure([plan])
      #expect(try local() == "10.77.0.1")
    }
  }

  @Test("one that cannot be had does not keep the others back")
  func failure() async throws {
    try await inNamespaceOfItsOwn {
      let kernel = try OverlayKernel()
      try TestNetwork.shell("ip link add taken type vxlan id 4097 dstport 4789")
      let plans = [Self.plan([(6, 2)]), Self.plan([(6, 2)], tunnel: 4_098)]
      let error = #expect(throws: NetlinkError.self) { try kernel.ensure(plans) }
      #expect(error?.description == "making tunnel skep-t4097: File exists")
      #expect(try NetlinkSocket(.route).link(named: "skep-t4098")?.isUp == true)
    }
  }

  /// Two hosts with a network on both, and a container at 10.20.0.5 on the first and at 10.20.0.6 on the second.
  private static func connected(_ body: @escaping @Sendable (HostPair, _ near: Int32, _ far: Int32, OverlayKernel) throws -> Void)
    async throws
  {
    try await inNamespaceOfItsOwn {
      let pair = try HostPair()
      let kernels = try (0...1).map { host in
        try pair.bridge("skep-n4097", "10.20.0.1/24", on: host)
        return try pair.on(host) { () throws -> OverlayKernel in
          let kernel = try OverlayKernel()
          try kernel.ensure([plan([(5, 1), (6, 2)], on: host)])
          return kernel
        }
      }
      let near = try pair.container("10.20.0.5", bridge: "skep-n4097", on: 0)
      let far = try pair.container("10.20.0.6", bridge: "skep-n4097", on: 1)
      try body(pair, near, far, kernels[0])
    }
  }

  @Test("containers on two hosts reach each other, with the largest packets too, until they are taken from the plan")
  func traffic() async throws {
    try await Self.connected { pair, near, far, kernel in
      #expect(try TestNetwork.isAlive("10.20.0.6", in: near) && TestNetwork.isAlive("10.20.0.5", in: far))
      #expect(try TestNetwork.isAlive("10.20.0.1", in: near) && TestNetwork.isAlive("10.20.0.1", in: far))
      let listener = TestSocket(try TestNetwork.listen("10.20.0.6", isTCP: true, in: far))
      let connection = try TestNetwork.connect("10.20.0.6", in: near)
      let accepted = TestSocket(accept(listener.descriptor, nil, nil))
      #expect(connection.send(4_000) == 4_000 && accepted.receive() == 16 && accepted.send() == 1 && connection.receive() == 1)
      let datagrams = TestSocket(try TestNetwork.listen("10.20.0.6", isTCP: false, in: far))
      // With 28 bytes of headers, what the tunnel takes.
      #expect(try TestNetwork.connect("10.20.0.6", isTCP: false, in: near).send(1_422) == 1_422)
      #expect(datagrams.receive(2_000) == 1_422)
      try pair.on(0) { _ = try kernel.ensure([Self.plan([(5, 1)])]) }
      #expect(try !TestNetwork.isAlive("10.20.0.6", in: near))
    }
  }

  @Test("an address that has come here from another host is reached from there before it has said anything")
  func moved() async throws {
    try await Self.connected { pair, near, far, kernel in
      #expect(try TestNetwork.isAlive("10.20.0.5", in: far))
      try TestNetwork.inside(far) { try TestNetwork.shell("ip link delete eth0") }
      let other = OverlayNetworkTests.plan([(5, 1), (6, 1), (7, 2)], on: 1)
      try pair.on(0) { _ = try kernel.ensure([Self.plan([(5, 1), (6, 1), (7, 2)])]) }
      try pair.on(1) { _ = try OverlayKernel().ensure([other]) }
      let listener = TestSocket(
        try TestNetwork.listen("10.20.0.6", isTCP: true, in: try pair.container("10.20.0.6", bridge: "skep-n4097", on: 0)))
      let third = try pair.container("10.20.0.7", bridge: "skep-n4097", on: 1)
      #expect(try TestNetwork.connect("10.20.0.6", in: third).send() == 1 && listener.descriptor > 0)
    }
  }

  @Test("what is for nobody, or for everybody, does not leave its host")
  func floods() async throws {
    try await Self.connected { pair, near, _, _ in
      #expect(try TestNetwork.isAlive("10.20.0.6", in: near))
      let before = try #require(try pair.received("skep-t4097", on: 1))
      let unknown = #expect(throws: NetlinkError.self) { try TestNetwork.connect("10.20.0.9", in: near) }
      #expect(unknown?.errno == EHOSTUNREACH)
      try TestNetwork.inside(near) {
        try TestNetwork.shell("ip neighbour add 10.20.0.8 lladdr 02:42:0a:14:00:08 dev eth0")
        try TestNetwork.shell("ip neighbour add 10.20.0.7 lladdr ff:ff:ff:ff:ff:ff dev eth0")
      }
      for address in ["10.20.0.7", "10.20.0.8"] {
        #expect(try TestNetwork.connect(address, isTCP: false, in: near).send() == 1)
      }
      // It comes after all of those.
      #expect(try TestNetwork.isAlive("10.20.0.6", in: near))
      #expect(try pair.received("skep-t4097", on: 1) == before + 1)
    }
  }
}

private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Glibc
import Netfilter
import Netlink
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("Services' addresses in containers")
struct VirtualIPTests {
  private static func address(_ host: UInt8) -> IPv4Address { IPv4Address(bits: 0x0A00_0100 + UInt32(host)) }

  private static func network(_ services: [OverlayService], containers: [UInt8] = [5, 6, 7, 9]) -> OverlayNetwork {
    OverlayNetwork(
      id: "n", name: "net", tunnel: 1, subnet: IPv4Subnet(base: address(0), prefix: 24), gateway: address(1),
      endpoints: containers.map { OverlayEndpoint(id: "c\($0)", names: ["c\($0)"], address: address($0), nodeID: "n1") },
      services: services)
  }

  /// At 10.0.1.2 unless said otherwise.
  private static func service(_ endpoints: [UInt8], _ strategy: Strategy = .roundRobin, at host: UInt8 = 2) -> OverlayService {
    OverlayService(
      id: "s\(host)", names: ["s\(host)"], virtualIP: address(host), strategy: strategy, endpoints: endpoints.map(address))
  }

  private static func rules(
    _ endpoints: [UInt8], _ strategy: Strategy = .roundRobin, containers: [UInt8] = [5, 6, 7, 9]
  ) -> VirtualIPRules {
    VirtualIPRules([network([service(endpoints, strategy)], containers: containers)], container: "c9", seed: 1)
  }

  @Test("new connections and datagrams go to its endpoints in turn, and so do echo requests")
  func inTurn() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let kernel = try VirtualIPKernel(network: pair.client)
      #expect(try kernel.ensure(Self.rules([5, 6, 7])))
      #expect(try kernel.ensure(Self.rules([5, 6, 7])) == false)
      for isTCP in [true, false] {
        let chosen = try pair.endpoints(of: 6, isTCP: isTCP)
        #expect(Set(chosen[0..<3]) == [5, 6, 7] && chosen[0..<3] == chosen[3..<6])
      }
      #expect(try pair.isAlive("10.0.1.2") && !pair.isAlive("10.0.1.3"))
      #expect(try pair.connect("10.0.1.5").send() == 1)
    }
  }

  @Test("its strategy says which", arguments: [Strategy.random, .ipHash, .leastConnections])
  func strategies(_ strategy: Strategy) async throws {
    let (chosen, without) = try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let kernel = try VirtualIPKernel(network: pair.client)
      try kernel.ensure(Self.rules([5, 6, 7], strategy))
      let chosen = try pair.endpoints(of: 48)
      let other: UInt8 = chosen[0] == 5 ? 6 : 5
      try kernel.ensure(Self.rules([5, 6, 7].filter { $0 != other }, strategy))
      return (chosen, try pair.endpoints(of: 8))
    }
    let counts = [5, 6, 7].map { endpoint in chosen.count { $0 == endpoint } }.sorted()
    switch strategy {
    case .ipHash: #expect(counts == [0, 0, 48] && without == Array(chosen[..<8]))
    case .random: #expect(counts[0] > 0)
    default: #expect(counts == [16, 16, 16])
    }
  }

  @Test("without endpoints it refuses at once")
  func refusal() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let kernel = try VirtualIPKernel(network: pair.client)
      try kernel.ensure(Self.rules([]))
      let refused = #expect(throws: NetlinkError.self) { try pair.connect() }
      #expect(refused?.errno == ECONNREFUSED)
      let datagram = try pair.connect(isTCP: false)
      datagram.send()
      #expect(datagram.receive() == -Int(ECONNREFUSED))
      try kernel.ensure(Self.rules([6]))
      #expect(try pair.endpoints(of: 2) == [6, 6])
      datagram.send()
      #expect(pair.arrival(isTCP: false)?.endpoint == 6)
    }
  }

  @Test(
    "what is open stays while its endpoint drains, and ends at once when that is lost, also while no agent looked",
    arguments: [false, true])
  func changes(isAgentNew: Bool) async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      var kernel = try VirtualIPKernel(network: pair.client)
      try kernel.ensure(Self.rules([5, 6]))
      let connections = try (0..<2).map { _ in (try pair.connect(), try #require(pair.arrival())) }
      let open = try #require(connections.first { $0.1.endpoint == 5 })
      let other = try #require(connections.first { $0.1.endpoint == 6 })
      let direct = (try pair.connect("10.0.1.5"), try #require(pair.arrival()))
      func isOpen(_ pair: (TestSocket, (endpoint: UInt8, socket: TestSocket))) -> Bool {
        pair.0.send() == 1 && pair.1.socket.receive() == 1 && pair.1.socket.send() == 1 && pair.0.receive() == 1
      }
      #expect(isOpen(open) && isOpen(other) && isOpen(direct))
      try kernel.ensure(Self.rules([6]))
      #expect(isOpen(open) && isOpen(other) && isOpen(direct))
      #expect(try pair.endpoints(of: 2) == [6, 6])
      if isAgentNew { kernel = try VirtualIPKernel(network: pair.client) }
      try kernel.ensure(Self.rules([6], containers: [6, 7, 9]))
      #expect(open.0.receive() == -Int(ECONNABORTED))
      #expect(isOpen(other) && isOpen(direct))
    }
  }

  @Test("datagrams go elsewhere when their endpoint is lost, and, when it never answered, as soon as it takes no more")
  func datagrams() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let kernel = try VirtualIPKernel(network: pair.client)
      try kernel.ensure(Self.rules([5]))
      let socket = try pair.connect(isTCP: false)
      func endpoint() -> UInt8? { socket.send() == 1 ? pair.arrival(isTCP: false)?.endpoint : nil }
      #expect(endpoint() == 5)
      try kernel.ensure(Self.rules([6]))
      #expect(endpoint() == 6)
      try kernel.ensure(Self.rules([6, 7]))
      #expect(endpoint() == 6)
      try kernel.ensure(Self.rules([7], containers: [5, 7, 9]))
      #expect(endpoint() == 7)
    }
  }

  @Test("a connection that nobody remembers is reset with its next packet")
  func forgotten() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      try VirtualIPKernel(network: pair.client).ensure(Self.rules([5]))
      let socket = try pair.connect()
      let tracking = try NetlinkSocket(.netfilter, network: pair.client)
      #expect(try tracking.connections(mark: 0x0A00_0100, mask: 0xFFFF_FF00).map(\.ends.peer) == [Self.address(2)])
      try tracking.forgetConnections(mark: Self.address(5).bits, mask: .max, isUnanswered: false)
      #expect(socket.send() == 1 && socket.receive() == -Int(ECONNRESET))
    }
  }

  @Test("whatever changes, the kernel has what it would have if it had been told at once, and gets back what somebody took away")
  func steps() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let kernel = try VirtualIPKernel(network: pair.client)
      let steps: [[OverlayService]] = [
        [], [Self.service([5])], [Self.service([5, 6]), Self.service([7], at: 3)],
        [Self.service([5, 6], .random), Self.service([7], at: 3), Self.service([], at: 4)],
        [Self.service([7], at: 3), Self.service([5, 6, 7], at: 4)], [Self.service([6], .ipHash, at: 3)], [],
      ]
      let filter = try NFTables(network: pair.client)
      func listed() throws -> [String] {
        try filter.run("list table ip skep").split { "\n{},".contains($0) }.map(String.init).sorted()
      }
      for step in steps {
        let rules = VirtualIPRules([Self.network(step)], container: "c9", seed: 3)
        #expect(try kernel.ensure(rules) && !kernel.ensure(rules))
        let before = try listed()
        try filter.run("flush ruleset")
        #expect(try kernel.ensure(rules))
        #expect(try listed() == before)
      }
    }
  }

  @Test("only networks with the container count, and containers begin with different endpoints")
  func order() {
    let network = Self.network([Self.service([5, 6, 7]), Self.service([5, 6], .ipHash, at: 3)])
    #expect(VirtualIPRules([network], container: "elsewhere", seed: 1).services.isEmpty)
    let all = (0..<300).map { VirtualIPRules([network], container: "c9", seed: $0) }
    let first = all.compactMap { $0.services[Self.address(2)]?.endpoints.first }
    for host in [5, 6, 7] as [UInt8] { #expect((60...140).contains(first.count { $0 == Self.address(host) })) }
    #expect(Set(all.map { $0.services[Self.address(3)]?.endpoints }).count == 1)
  }
}

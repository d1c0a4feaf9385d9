// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Glibc
import Netfilter
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("What the packet filter carries")
struct OffloadTests {
  private static func endpoint(_ number: Int, _ state: Endpoint.State = .ready) -> Endpoint {
    Endpoint(id: "t\(number)", address: IPv4Address(bits: 0x0A00_0100 + UInt32(number)), port: 80, state: state)
  }

  private static func listener(
    _ port: UInt16 = 8080, _ transport: Transport = .tcp, _ strategy: Strategy = .roundRobin, limits: ListenerLimits = .none,
    mayOffload: Bool = true, _ endpoints: [Endpoint] = [endpoint(2), endpoint(3)]
  ) -> Listener {
    Listener(
      id: "s/\(port)/\(transport)", port: port, transport: transport, strategy: strategy, limits: limits, mayOffload: mayOffload,
      endpoints: endpoints)
  }

  private static func rules(_ listeners: [Listener]) -> OffloadRules {
    let inside = ["127.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.77.0.1/32"].compactMap { IPv4Subnet($0) }
    return OffloadRules(
      EndpointTable(generation: 1, listeners: listeners), inside: inside, interfaces: ["skep-ingress", "skep-tunnel"])
  }

  @Test(
    "is everything but what only the relay can do",
    arguments: [
      (listener(), true), (listener(8080, .tcp, .random), true), (listener(8080, .tcp, .ipHash), true),
      (listener(8080, .tcp, .leastConnections), false), (listener(53, .udp), false), (listener(mayOffload: false), false),
      (listener(limits: ListenerLimits(connections: 9)), false), (listener(limits: ListenerLimits(idle: .seconds(1))), false),
      (listener(8080, .tcp, .random, []), false), (listener(8080, .tcp, .random, [endpoint(2, .draining)]), false),
    ])
  func eligible(_ listener: Listener, _ isCarried: Bool) {
    #expect(Self.rules([listener]).listeners == (isCarried ? [listener] : []))
  }

  @Test("the kernel takes rules of every strategy, keeps what is right, and gets back what somebody took away")
  func kernel() async throws {
    let seen = try await inNamespaceOfItsOwn {
      let (kernel, probe) = (try OffloadKernel(), try NFTables())
      let all = Self.rules([
        Self.listener(), Self.listener(8081, .tcp, .random), Self.listener(8082, .tcp, .ipHash),
        Self.listener(8083, .tcp, .roundRobin, [Self.endpoint(2), Self.endpoint(3, .draining)]),
      ])
      var seen = [try kernel.ensure(all), try kernel.ensure(all)]
      let listed = try probe.run("list table ip \(OffloadRules.table)")
      #expect(
        listed.contains("numgen inc mod 2") && listed.contains("numgen random mod 2") && listed.contains("numgen inc mod 1"))
      #expect(listed.contains("dnat to 10.0.1.3:80") && listed.contains("jhash ip saddr mod 1021"))
      try probe.run("flush ruleset")
      seen.append(try kernel.ensure(all))
      #expect(try kernel.approached() == [])
      try kernel.releaseRefused()
      try kernel.release([IPv4Address(bits: 0x0A00_0102)])
      try kernel.cut([IPv4Address(bits: 0x0A00_0102)])
      seen += [try kernel.ensure(Self.rules([])), try kernel.ensure(Self.rules([]))]
      #expect(throws: NetfilterError.self) { try probe.run("list table ip \(OffloadRules.table)") }
      try kernel.remove()
      return seen
    }
    #expect(seen == [true, false, true, true, false])
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Balancing

@Suite("The balancer")
struct BalancerTests {
  @Test("gives every ready endpoint its exact turn", arguments: [1, 2, 3, 7])
  func roundRobin(count: Int) {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(count))
    let picked = balancer.pickAll(count * 5)
    #expect(picked == (0..<count * 5).map { "e\($0 % count)" })
  }

  @Test("keeps turns fair when endpoints come and go")
  func roundRobinAcrossUpdates() {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(3))
    #expect(balancer.pickAll(1) == ["e0"])
    balancer.update(strategy: .roundRobin, endpoints: endpoints(4))
    #expect(balancer.pickAll(4) == ["e1", "e2", "e0", "e3"])
    // An update that changes nothing must not favour the first endpoint.
    var counts: [String: Int] = [:]
    for _ in 0..<400 {
      counts[balancer.pickAll(1)[0], default: 0] += 1
      balancer.update(strategy: .roundRobin, endpoints: endpoints(4))
    }
    #expect(counts == ["e0": 100, "e1": 100, "e2": 100, "e3": 100])
    balancer.update(strategy: .roundRobin, endpoints: endpoints(4).filter { $0.id != "e2" })
    #expect(Set(balancer.pickAll(3)) == ["e0", "e1", "e3"])
  }

  @Test("never chooses a draining endpoint", arguments: Strategy.allCases)
  func draining(strategy: Strategy) {
    var all = endpoints(3)
    all[1].state = .draining
    var balancer = Balancer(strategy: strategy, endpoints: all)
    #expect(Set(balancer.pickAll(200, clients: 200)) == ["e0", "e2"])
  }

  @Test("goes round those already tried, and gives up when none is left", arguments: Strategy.allCases)
  func excluding(strategy: Strategy) {
    var balancer = Balancer(strategy: strategy, endpoints: endpoints(3))
    var generator = SplitMix64(seed: 1)
    for client in 0..<50 {
      var tried: [EndpointHandle] = []
      while let handle = balancer.pick(client: address(client), excluding: tried, using: &generator) {
        #expect(!tried.contains(handle))
        tried.append(handle)
        if tried.count > 3 { break }
      }
      #expect(tried.count == 3)
    }
    balancer.update(strategy: strategy, endpoints: [])
    #expect(balancer.pick(client: address(0), using: &generator) == nil)
  }

  @Test("sends to the endpoint with the fewest open connections, equal ones in turn")
  func leastConnections() {
    var balancer = Balancer(strategy: .leastConnections, endpoints: endpoints(3))
    let first = balancer.open(6)
    #expect(first.map { balancer.endpoint($0)?.id } == ["e0", "e1", "e2", "e0", "e1", "e2"])
    balancer.closed(first[1])
    balancer.closed(first[4])
    #expect(balancer.open(2).map { balancer.endpoint($0)?.id } == ["e1", "e1"])
    #expect(balancer.loads.map(\.load.open) == [2, 2, 2])
  }

  @Test("counts open connections across changes of strategy and endpoints")
  func countsSurvive() throws {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(2))
    let handles = balancer.open(4)
    balancer.update(strategy: .ipHash, endpoints: Array(endpoints(2).dropFirst()))
    balancer.update(strategy: .leastConnections, endpoints: endpoints(3))
    #expect(balancer.loads.map(\.load.open).sorted() == [0, 2, 2])
    // e2 is empty, so it is filled up first.
    #expect(balancer.open(2).map { balancer.endpoint($0)?.id } == ["e2", "e2"])
    for handle in handles { balancer.closed(handle) }
    #expect(balancer.open == 2)
  }

  @Test("remembers an endpoint that left until its last connection ends")
  func gone() throws {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(2))
    let handles = balancer.open(2)
    balancer.update(strategy: .roundRobin, endpoints: Array(endpoints(2).dropLast()))
    #expect(balancer.endpoint(handles[1]) == nil)
    #expect(balancer.isLeaving(handles[1]))
    #expect(balancer.loads.map(\.load.open) == [1, 1])
    balancer.closed(handles[1])
    #expect(balancer.loads.map(\.load.endpoint.id) == ["e0"])
    // The slot is used again: the old handle must not touch the new endpoint's count.
    balancer.update(strategy: .roundRobin, endpoints: endpoints(1) + [Endpoint(id: "new", address: .loopback, port: 9)])
    let new = try #require(balancer.loads.first { $0.load.endpoint.id == "new" })
    #expect(new.handle != handles[1])
    balancer.opened(new.handle)
    balancer.closed(handles[1])
    #expect(balancer.loads.map(\.load.open) == [1, 1])
  }

  @Test("tells refused connections from served ones")
  func tally() throws {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(1))
    let handles = balancer.open(3)
    balancer.failed(handles[0], .refused)
    balancer.closed(handles[1], bytesIn: 10, bytesOut: 20)
    let load = try #require(balancer.loads.first?.load)
    #expect(load.open == 1)
    #expect((load.tally.total, load.tally.failures) == (2, [.refused: 1]))
    #expect((load.tally.bytesIn, load.tally.bytesOut) == (10, 20))
  }

  @Test("keeps what an endpoint had when it is gone, and begins anew when it comes again")
  func departed() throws {
    var balancer = Balancer(strategy: .roundRobin, endpoints: endpoints(2))
    let handles = balancer.open(4)
    for handle in handles[1...] { balancer.accepted(handle, after: 5_000) }
    balancer.failed(handles[0], .timedOut)
    for handle in handles[1...] { balancer.closed(handle, bytesIn: 1, bytesOut: 2) }
    let before = balancer.tally
    #expect((before.total, before.bytesIn, before.bytesOut, before.latency.count) == (3, 3, 6, 3))
    #expect(before.latency.sum == 15_000 && before.failures == [.timedOut: 1])
    balancer.update(strategy: .roundRobin, endpoints: [])
    #expect(balancer.tally == before)
    balancer.update(strategy: .roundRobin, endpoints: endpoints(1))
    #expect(try #require(balancer.loads.first).load.tally == Balancer.Tally())
    #expect(balancer.tally == before)
  }

  @Test("spreads at random with the generator it is given, and only that")
  func random() {
    var first = Balancer(strategy: .random, endpoints: endpoints(4))
    var second = first
    let picked = first.pickAll(4_000, seed: 7)
    #expect(picked == second.pickAll(4_000, seed: 7))
    #expect(picked != second.pickAll(4_000, seed: 8))
    for id in Set(picked) { #expect((900...1_100).contains(picked.count { $0 == id })) }
  }
}

@Suite("IP hash")
struct IPHashTests {
  private static let clients = 20_000

  @Test("keeps a client at its endpoint, whatever the order of the table and the process")
  func stable() {
    var one = Balancer(strategy: .ipHash, endpoints: endpoints(5))
    var other = Balancer(strategy: .ipHash, endpoints: endpoints(5).reversed())
    let picked = one.pickAll(1_000, clients: 1_000)
    #expect(picked == other.pickAll(1_000, clients: 1_000))
    #expect(picked == one.pickAll(1_000, clients: 1_000))
    // Pinned: nodes of two releases must agree on it.
    #expect(picked.prefix(6) == ["e0", "e2", "e3", "e4", "e4", "e3"])
  }

  @Test("moves few clients beside those of an endpoint that leaves", arguments: [3, 10, 50])
  func disruption(count: Int) {
    var balancer = Balancer(strategy: .ipHash, endpoints: endpoints(count))
    let before = balancer.pickAll(Self.clients, clients: Self.clients)
    balancer.update(strategy: .ipHash, endpoints: endpoints(count).filter { $0.id != "e1" })
    let after = balancer.pickAll(Self.clients, clients: Self.clients)
    let moved = zip(before, after).count { $0 != $1 && $0 != "e1" }
    #expect(!after.contains("e1"))
    #expect(moved < Self.clients * 3 / 100, "\(moved) clients of endpoints that stayed were moved")
  }

  @Test("gives endpoints nearly equal shares", arguments: [2, 3, 10, 100])
  func imbalance(count: Int) {
    let table = Maglev(members: (0..<count).map { "task\($0)" })
    var shares = [Int](repeating: 0, count: count)
    for entry in 0..<Maglev.size { shares[table.owner(of: UInt64(entry))] += 1 }
    #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
  }

  @Test("builds its table anew only when the ready endpoints change")
  func rebuilt() {
    var balancer = Balancer(strategy: .ipHash, endpoints: endpoints(3))
    _ = balancer.pickAll(1)
    var moved = endpoints(3)
    moved[0].address = IPv4Address(bits: 1)
    balancer.update(strategy: .ipHash, endpoints: moved)
    #expect(balancer.maglev != nil)
    moved[0].state = .draining
    balancer.update(strategy: .ipHash, endpoints: moved)
    #expect(balancer.maglev == nil)
  }
}

func endpoints(_ count: Int) -> [Endpoint] {
  (0..<count).map { Endpoint(id: "e\($0)", address: IPv4Address(bits: 0x0a00_0000 + UInt32($0)), port: 80) }
}

func address(_ client: Int) -> ClientAddress { ClientAddress(IPv4Address(bits: 0xc0a8_0000 + UInt32(client))) }

extension Balancer {
  mutating func pickAll(_ count: Int, clients: Int = 1, seed: UInt64 = 1) -> [String] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { turn in
      pick(client: address(turn % clients), using: &generator).flatMap { endpoint($0)?.id } ?? "none"
    }
  }

  mutating func open(_ count: Int) -> [EndpointHandle] {
    var generator = SplitMix64(seed: 1)
    return (0..<count).compactMap { _ in
      let handle = pick(client: address(0), using: &generator)
      if let handle { opened(handle) }
      return handle
    }
  }
}

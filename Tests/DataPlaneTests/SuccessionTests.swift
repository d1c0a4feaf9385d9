// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay that takes another's place", .timeLimit(.minutes(1)))
struct SuccessionTests {
  private static let table = EndpointTable(
    generation: 1, listeners: [Listener(id: "web", port: 1, endpoints: [Endpoint(id: "a", address: .loopback, port: 1)])])

  @Test("acknowledges a table and answers only when that one has said what it still has")
  func waits() async throws {
    var both: [Int32] = [-1, -1]
    try #require(cl_packet_pair(&both) == 0)
    var predecessor = ControlSocket(descriptor: both[0])
    defer { predecessor.close() }
    let relay = try await RelayFixture {
      $0.predecessors = [both[1]]
      $0.predecessorPatience = .seconds(3_600)
    }
    try relay.send(.table(Self.table, ports: []))
    try relay.send(.countsRequest(ticket: 7, endpoints: ["a"]))
    #expect(try relay.isSilent(forMilliseconds: 200), "it has been asked nothing but waits")
    guard case .message(.countsRequest(0, endpoints: []), _) = try predecessor.receive() else {
      Issue.record("the one before is not asked")
      return
    }
    try predecessor.send(.held(["web": ["a": 2]]))
    #expect(try relay.answers(2) == [.applied(.init(generation: 1, failures: ["web": ENOTSOCK])), .counts(ticket: 7, ["a": 2])])
  }

  @Test("waits a second for one that says nothing, and not at all for one that has ended")
  func patience() async throws {
    for (ends, least) in [(false, Duration.milliseconds(900)), (true, .zero)] {
      var both: [Int32] = [-1, -1]
      try #require(cl_packet_pair(&both) == 0)
      if ends { close(both[0]) }
      let begun = ContinuousClock.now
      let relay = try await RelayFixture { $0.predecessors = [both[1]] }
      try relay.send(.table(Self.table, ports: []))
      #expect(try relay.answers(1) == [.applied(.init(generation: 1, failures: ["web": ENOTSOCK]))])
      #expect(ContinuousClock.now - begun >= least)
      if !ends { close(both[0]) }
    }
  }
}

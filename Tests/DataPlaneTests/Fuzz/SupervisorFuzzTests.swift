// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("Fuzz: a supervisor whose relay talks nonsense", .serialized, .timeLimit(.minutes(60)))
struct SupervisorFuzzTests {
  /// What a relay could send, and what only skepd does; nothing that is an order to end.
  private static let kinds: [ControlMessage] = [
    .applied(.init(generation: 1, failures: ["web": 98, "x": 1])), .draining(["a": 1]), .counts(ticket: 1, ["a": 1]),
    .counters(ticket: 1, ControlMessageTests.report), .refused(.init(kind: 16, generation: 4, reason: "because")),
    .table(EndpointTable(generation: 1), ports: []),
    .hello(.init(processID: 1, release: "1", generation: 1, ports: [.init(.tcp, 1), .init(.udp, 2)])), .sources(.none),
  ]

  @Test("leaves it each time, keeps none of its descriptors, and programs the first one that makes sense")
  func attacked() async throws {
    let host = try TestHost()
    let backend = try Backend.named("a")
    let port = freePort()
    let path = host.directory.path + "/relay.sock"
    let listener = cl_unix_listen(path)
    #expect(listener >= 0)
    let supervisor = try RelaySupervisor(
      executable: host.executable, runDirectory: host.directory.path, checkInterval: .seconds(60),
      misunderstandingPause: .milliseconds(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await supervisor.run() } catch is CancellationError {}
      }
      // A refusal that the relay makes up is an answer like another.
      async let early = try? supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      try await offPool { try Self.serve(listener, rounds: FuzzPlan.rounds(150)) }
      unlink(path)
      close(listener)
      _ = await early
      let result = try await supervisor.program(host.table(2, port: port, [backend.endpoint("a")]))
      #expect(result == ProgramResult(generation: 2, failures: []))
      #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
      group.cancelAll()
      try await group.waitForAll()
    }
    try await host.end()
  }

  private static func serve(_ listener: Int32, rounds: UInt64) throws {
    for round in 0..<rounds {
      let seed = FuzzPlan.seed &* 1_000_003 &+ round
      var watched = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, 5_000) > 0 else { throw Mismatch("seed \(seed): the supervisor does not come again") }
      let descriptor = cl_accept_control(listener)
      var attack = ControlAttack(Mutator(seed: seed))
      if attack.mutator.below(3) > 0 { greet(descriptor, round) }
      attack.strike(descriptor, kinds: kinds)
      guard try attack.end() else { throw Mismatch("seed \(seed): a descriptor is kept") }
    }
  }

  /// Rightly, so that more is listened to; sometimes as another version.
  private static func greet(_ descriptor: Int32, _ round: UInt64) {
    var hello = ControlMessage.Hello(processID: getpid(), release: "9", generation: 3, ports: [])
    if round % 8 == 0 { hello.version = UInt16(truncatingIfNeeded: round) }
    let bytes = ControlPacket.packets(for: .hello(hello))[0].bytes
    _ = cl_send_packet(descriptor, bytes, bytes.count, nil, 0)
  }
}

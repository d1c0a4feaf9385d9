// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("Fuzz: a relay with peers that are no skepd", .serialized, .timeLimit(.minutes(60)))
struct RelayFuzzTests {
  /// What a peer could send, right and wrong way round.
  private static let kinds: [ControlMessage] = [
    .table(
      EndpointTable(generation: 77, listeners: [Listener(id: "x", port: 1), Listener(id: "y", port: 2)]), ports: [.init(.tcp, 1)]),
    .countsRequest(ticket: 1, endpoints: ["a", "b"]), .countersRequest(ticket: 2), .sources(.none),
    .hello(.init(processID: 1, release: "1", generation: 1, ports: [.init(.tcp, 1)])),
    .applied(.init(generation: 1, failures: ["x": 1])),
    .superseded, .refused(.init(kind: 1, generation: 1, reason: "no")),
  ]

  @Test("serves by its last good table all the while, keeps none of their descriptors and does not grow")
  func attacked() async throws {
    let host = try TestHost()
    let backend = try Backend.echo()
    let process = try host.startRelay()
    defer {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    #expect(try await eventually { host.relay == process })
    let path = host.directory.path + "/relay.sock"
    let listener = cl_listen(0, 512)
    defer { close(listener) }
    let port = UInt16(cl_local_port(listener))
    try await offPool {
      var skepd = try Self.greeted(path)
      let table = EndpointTable(generation: 5, listeners: [Listener(id: "web", port: port, endpoints: [backend.endpoint("a")])])
      try skepd.send(.table(table, ports: [.init(.tcp, port)]), descriptors: [listener])
      while case let answer = try RelayFixture.receive(&skepd), answer != .applied(.init(generation: 5, failures: [:])) {}
      skepd.close()
    }
    let client = ServedClient(port: port)
    // Longest lived of all: it sees every round.
    let old = try TestClient(port: port)
    try await offPool { try Self.strikes(20, path, seed: 0) }
    let before = (descriptors: Self.descriptors(of: process), memory: Self.memory(of: process))
    let rounds = FuzzPlan.rounds(150)
    for round in stride(from: 0, to: rounds, by: 50) {
      try await offPool {
        try Self.strikes(50, path, seed: FuzzPlan.seed &* 1_000_003 &+ round)
        var skepd = try Self.greeted(path)
        skepd.close()
      }
    }
    #expect(try await eventually { Self.descriptors(of: process) == before.descriptors })
    #expect(
      Self.memory(of: process) < before.memory + 16 << 20, "\(before.memory) bytes before, \(Self.memory(of: process)) after")
    #expect(try await offPool { try ForwardingTests.echoed("still", port: port) } == "still")
    try old.send("old")
    #expect(try await offPool { try old.receiveText() } == "old")
    old.close()
    let (served, failed) = client.stop()
    #expect(failed == nil && served > 0, "\(served) served, \(failed ?? "")")
  }

  private static func strikes(_ count: Int, _ path: String, seed: UInt64) throws {
    for number in 0..<count {
      var attack = ControlAttack(Mutator(seed: seed &+ UInt64(number)))
      let descriptor = cl_unix_connect(path)
      guard descriptor >= 0 else { throw Mismatch("seed \(seed), strike \(number): no relay answers, errno \(-descriptor)") }
      attack.strike(descriptor, kinds: kinds)
      guard try attack.end() else { throw Mismatch("seed \(seed), strike \(number): a descriptor is kept") }
    }
  }

  /// A peer like skepd, which finds the table that is in force.
  private static func greeted(_ path: String) throws -> ControlSocket {
    var link = try ControlSocket.connect(to: path)
    guard case .hello(let hello) = try RelayFixture.receive(&link) else { throw Mismatch("no hello") }
    guard hello.generation == (hello.ports.isEmpty ? 0 : 5) else { throw Mismatch("table \(hello.generation), \(hello.ports)") }
    return link
  }

  private static func descriptors(of process: Int32) -> Int {
    guard let directory = opendir("/proc/\(process)/fd") else { return -1 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
  }

  private static func memory(of process: Int32) -> Int {
    (Int(TestHost.contents("/proc/\(process)/statm").split(separator: " ").dropFirst().first ?? "") ?? 0) * 4_096
  }
}

/// Asks the same question again and again, on connections of its own, until it is stopped.
final class ServedClient: Sendable {
  private struct State {
    var isStopped = false
    var hasEnded = false
    var served = 0
    var failure: String?
  }

  private let state = Mutex(State())

  init(port: UInt16) {
    DedicatedThread.start { [self] in
      while !state.withLock({ $0.isStopped || $0.failure != nil }) {
        do {
          guard try ForwardingTests.echoed("question", port: port) == "question" else { throw Mismatch("another answer") }
          state.withLock { $0.served += 1 }
        } catch {
          state.withLock { $0.failure = "\(error)" }
        }
      }
      state.withLock { $0.hasEnded = true }
    }
  }

  /// How many were served, and what failed.
  func stop() -> (Int, String?) {
    state.withLock { $0.isStopped = true }
    while !state.withLock(\.hasEnded) { usleep(1_000) }
    return state.withLock { ($0.served, $0.failure) }
  }
}

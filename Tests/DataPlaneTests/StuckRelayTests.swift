// SPDX-License-Identifier: Apache-2.0

import CLinux
import Foundation
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay that is stuck or cannot be found", .serialized, .timeLimit(.minutes(1)))
struct StuckRelayTests {
  @Test("one that has stopped answering is replaced, and clients that wait are served by the next one")
  func stopped() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised(checkInterval: .milliseconds(50)) { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      let relay = try #require(host.relay)
      kill(relay, SIGSTOP)
      #expect(try await eventually { host.isStopped(relay) })
      let clients = try (0..<20).map { _ in try TestClient(port: port) }
      let answers = try await offPool { try clients.map { try $0.receiveText() } }
      #expect(answers == Array(repeating: "a", count: 20))
      for client in clients { client.close() }
      #expect(try await eventually { host.relay != nil && host.relay != relay })
    }
    try await host.end()
  }

  @Test("one that works is never taken for stuck, whatever its load")
  func busy() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised(checkInterval: .milliseconds(50)) { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      let relay = try #require(host.relay)
      for _ in 0..<300 { #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a") }
      #expect(host.relay == relay)
    }
    try await host.end()
  }

  @Test(
    "the control socket, or its whole directory, is deleted: the relay makes it anew and the next skepd finds it",
    arguments: ["relay.sock", ""])
  func deleted(file: String) async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    try await host.supervised { _ = try await $0.program(host.table(1, port: port, [backend.endpoint("a")])) }
    let relay = try #require(host.relay)
    try FileManager.default.removeItem(atPath: "\(host.directory.path)/\(file)")
    #expect(try await eventually { access(host.directory.path + "/relay.sock", F_OK) == 0 && host.relay == relay })
    try await host.supervised { supervisor in
      let table = host.table(2, port: port, [backend.endpoint("a")])
      let result = try await supervisor.program(table)
      #expect(result == ProgramResult(generation: 2, failures: []))
    }
    #expect(host.relay == relay)
    try await host.end()
  }

  @Test("one whose place another has taken meanwhile ends and gives its ports up")
  func replaced() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let port = freePort()
    let table = host.table(1, port: port, [backend.endpoint("a")])
    try await host.supervised { _ = try await $0.program(table) }
    let old = try #require(host.relay)
    // Stopped, so that the new one is certainly first.
    kill(old, SIGSTOP)
    try FileManager.default.removeItem(atPath: host.directory.path)
    try await host.supervised { supervisor in
      let result = try await supervisor.program(table)
      #expect(result.failures.map(\.port.number) == [port])
      kill(old, SIGCONT)
      let hasEnded = try await eventually { kill(old, 0) != 0 || waitpid(old, nil, WNOHANG) != 0 }
      #expect(hasEnded)
      var again = table
      again.generation = 2
      #expect(try await supervisor.program(again).failures == [])
      #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
      #expect(host.relay != old && host.relay != nil)
    }
    try await host.end()
  }

  @Test("one that was shut down leaves its log and nothing else")
  func remains() async throws {
    let host = try TestHost()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(EndpointTable(generation: 1))
      try await supervisor.shutdownRelay()
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: host.directory.path) == ["relay.log"])
  }
}

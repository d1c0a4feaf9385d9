// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The relay's process", .serialized, .timeLimit(.minutes(1)))
struct RelayProcessTests {
  @Test("at the limit of open files it lets clients wait, without spinning, and serves them when others leave")
  func outOfDescriptors() async throws {
    let backend = try Backend.holding("a")
    let host = try TestHost(descriptors: 80)
    let port = freePort()
    try await host.supervised { supervisor in
      _ = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      let clients = try (0..<40).map { _ in try TestClient(port: port) }
      // 80, less the listening socket in each thread and what is set aside for the rest, at two each.
      let limit = UInt32((80 - 40 - 1 - Relay.standardThreads) / 2)
      #expect(try await eventually { try await supervisor.counters()[0].open == limit })
      let before = host.relayTime
      try await Task.sleep(for: .milliseconds(500))
      #expect(host.relayTime - before < .milliseconds(100))
      #expect(try await supervisor.counters()[0].open == limit)
      let answers = try await offPool {
        try clients.map { client in
          defer { client.close() }
          return try client.receiveText()
        }
      }
      #expect(answers == Array(repeating: "a", count: 40))
      #expect(try await supervisor.counters()[0].refused == 0)
    }
    try await host.end()
  }

  @Test(
    "ends with a status that says why",
    arguments: [(["--fast"], 64), (["--version"], 0), (["--help"], 0), (["--control", "/nonexistent/relay.sock"], 70)]
      as [([String], Int32)])
  func status(arguments: [String], status: Int32) async throws {
    let process = try start(arguments, TestHost())
    #expect(try await statusOf(process) == status)
  }

  @Test("ends with 0 on SIGTERM, and leaves no socket and no pid file")
  func terminated() async throws {
    let host = try TestHost()
    let files = ["relay.sock", "relay.pid"].map { "\(host.directory.path)/\($0)" }
    let process = try start(["--control", files[0], "--pid-file", files[1]], host)
    #expect(try await eventually { host.relay == process })
    kill(process, SIGTERM)
    #expect(try await statusOf(process) == 0)
    #expect(files.allSatisfy { access($0, F_OK) != 0 })
  }

  @Test("has nothing of skepd's open, and is a session of its own")
  func detached() async throws {
    let host = try TestHost()
    let secret = open("/dev/zero", O_RDONLY)
    defer { close(secret) }
    try await host.supervised { supervisor in
      _ = try await supervisor.program(EndpointTable(generation: 1))
      let relay = try #require(host.relay)
      #expect(getsid(relay) == relay)
      var target = [CChar](repeating: 0, count: 256)
      for descriptor in 0..<256 {
        let count = readlink("/proc/\(relay)/fd/\(descriptor)", &target, target.count)
        let name = String(decoding: target[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(name != "/dev/zero")
      }
    }
    try await host.end()
  }

  private func start(_ arguments: [String], _ host: TestHost) throws -> Int32 {
    var words: [UnsafeMutablePointer<CChar>?] = ([host.executable] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let null = open("/dev/null", O_WRONLY)
    defer { close(null) }
    let process = cl_spawn_detached(host.executable, &words, null)
    return try #require(process > 0 ? process : nil)
  }

  private func statusOf(_ process: Int32) async throws -> Int32? {
    var status: Int32 = -1
    let ended = try await eventually { waitpid(process, &status, WNOHANG) == process }
    return ended && status & 0x7f == 0 ? status >> 8 : nil
  }
}

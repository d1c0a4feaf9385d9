// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay of an earlier or a later release", .timeLimit(.minutes(1)))
struct OldRelayTests {
  @Test(
    "is asked to finish, and its successor serves on the same listening socket", arguments: [0, ControlMessage.version + 1])
  func handover(version: UInt16) async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let listener = cl_listen(0, 128)
    let port = UInt16(cl_local_port(listener))
    let (path, socket) = (host.directory.path + "/relay.sock", host.listeningSocket(port))
    let old = Task.detached { try await offPool { try Self.serve(path, port, listener, version) } }
    #expect(try await eventually { access(path, F_OK) == 0 })
    try await host.supervised { supervisor in
      // Nobody is refused meanwhile: whoever connects waits in the queue.
      let client = try TestClient(port: port)
      let result = try await supervisor.program(host.table(1, port: port, [backend.endpoint("a")]))
      #expect(result == ProgramResult(generation: 1, failures: []))
      #expect(try await offPool { try client.receiveText() } == "a")
      client.close()
    }
    #expect(try await old.value == [.shutdown])
    #expect(host.listeningSocket(port) == socket)
    try await host.end()
  }

  /// Says hello in its version and does what every version must: listen to `shutdown`. Returns what it was told.
  private static func serve(_ path: String, _ port: UInt16, _ listener: Int32, _ version: UInt16) throws -> [ControlMessage] {
    let server = try ControlServer(path: path)
    defer { close(listener) }
    var attempts = 0
    while server.acceptPeer() == nil, attempts < 1_000 {
      attempts += 1
      usleep(5_000)
    }
    var hello = ControlMessage.Hello(processID: getpid(), release: "0.0.1", generation: 7, ports: [ListenerPort(.tcp, port)])
    hello.version = version
    server.send(.hello(hello), descriptors: [listener])
    for _ in 0..<2_000 {
      switch server.receive() {
      case .message(let message, _): return [message]
      case .nothing: usleep(5_000)
      case .unreadable, .closed: return []
      }
    }
    return []
  }
}

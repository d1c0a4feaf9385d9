// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A relay that a new supervisor finds", .timeLimit(.minutes(1)))
struct FoundRelayTests {
  private static let policy = SourcePolicy(keeps: true, inside: [IPv4Subnet(base: .loopback, prefix: 8)])

  @Test("goes on keeping whose addresses it kept, until it is told otherwise", arguments: [nil, policy, SourcePolicy.none])
  func sources(told: SourcePolicy?) async throws {
    let host = try TestHost()
    let path = host.directory.path + "/relay.sock"
    let relay = Task.detached { try await offPool { try Self.serve(path) } }
    #expect(try await eventually { access(path, F_OK) == 0 })
    let table = EndpointTable(generation: 1)
    try await host.supervised(external: true) { supervisor in
      if let told { try await supervisor.keepSources(told) }
      #expect(try await supervisor.program(table) == ProgramResult(generation: 1, failures: []))
    }
    #expect(try await relay.value == (told.map { [.sources($0)] } ?? []) + [.table(table, ports: [])])
  }

  /// Applies one table. Returns what it was told until then, questions aside.
  private static func serve(_ path: String) throws -> [ControlMessage] {
    let server = try ControlServer(path: path)
    var (attempts, told) = (0, [ControlMessage]())
    while server.acceptPeer() == nil, attempts < 1_000 {
      attempts += 1
      usleep(5_000)
    }
    server.send(.hello(.init(processID: getpid(), release: Relay.release, generation: 7, ports: [])), descriptors: [])
    for _ in 0..<2_000 {
      switch server.receive() {
      case .message(.countsRequest, _): break
      case .message(let message, _):
        told.append(message)
        guard case .table(let table, _) = message else { break }
        server.send(.applied(.init(generation: table.generation, failures: [:])), descriptors: [])
        return told
      case .nothing: usleep(5_000)
      case .unreadable, .closed: return told
      }
    }
    return told
  }
}

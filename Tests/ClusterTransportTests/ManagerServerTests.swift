// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Testing

@testable import ClusterTransport

@Suite("A manager's port for nodes", .serialized, .timeLimit(.minutes(2)))
struct ManagerServerTests {
  /// A stream that begins on a connection that is being cancelled ends the process.
  @Test("it ends in order while nodes keep calling: they are refused, and nothing falls over", arguments: 1...25)
  func ends(round: Int) async throws {
    let rig = try Rig()
    let credentials = try rig.credentials("w1")
    let server = try ManagerServer(
      host: "127.0.0.1", port: 0, credentials: try rig.credentials("m1", .manager), service: rig.service, now: { Rig.now })
    let (ports, port) = AsyncStream.makeStream(of: UInt16.self)
    let serving = Task { try await server.run { port.yield($0) } }
    var iterator = ports.makeAsyncIterator()
    let number = try #require(await iterator.next())
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try? await ManagerChannel.with(to: "127.0.0.1:\(number)", as: rig.member(credentials), now: { Rig.now }) { channel in
            for _ in 0..<10_000 { _ = try await channel.root() }
          }
        }
      }
      while rig.service.calls.count < 4 { try? await Task.sleep(for: .milliseconds(1)) }
      try? await Task.sleep(for: .microseconds(1_241 * round))
      serving.cancel()
      _ = await serving.result
      group.cancelAll()
    }
    #expect(Set(rig.service.calls) == ["root -"])
  }
}

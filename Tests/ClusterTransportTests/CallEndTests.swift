// SPDX-License-Identifier: Apache-2.0

import ClusterRPC
import GRPCCore
import Testing

@testable import ClusterTransport

@Suite("How calls end", .timeLimit(.minutes(1)))
struct CallEndTests {
  private func calling(_ body: @escaping @Sendable (ManagerChannel) async throws -> Void) async throws {
    let rig = try Rig()
    // Each call is ended by the manager at its first batch.
    rig.service.state.withLock { _ = $0.unwanted.insert("log-t1") }
    try await rig.serving { port in
      let worker = try rig.credentials("w1")
      try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(worker), now: { Rig.now }) { try await body($0) }
    }
  }

  private static func chatter(_ channel: ManagerChannel) async throws {
    var metadata = SessionName(nodeID: "w1", session: "s1").metadata
    metadata.addString("log-t1", forKey: RPCHeader.log)
    try await channel.stream(.publishLog, metadata) { (writer: RPCWriter<NodeMessage.LogBatch>) in
      while !Task.isCancelled {
        try await writer.write(NodeMessage.LogBatch([]))
        try? await Task.sleep(for: .microseconds(200))
      }
    } take: { (answers: RPCAsyncSequence<NodeMessage.Empty, any Error>) in
      for try await _ in answers {}
    }
  }

  @Test("a manager that ends a call while the node is still writing ends the node's side, too")
  func endedByManager() async throws {
    try await calling { channel in for _ in 0..<300 { try await Self.chatter(channel) } }
  }

  @Test("a call that is cancelled at any moment of its life ends at once")
  func cancelled() async throws {
    try await calling { channel in
      for moment in 0..<300 {
        await withTaskGroup(of: Void.self) { group in
          group.addTask { try? await Self.chatter(channel) }
          try? await Task.sleep(for: .microseconds(moment * 10))
          group.cancelAll()
        }
      }
    }
  }

  @Test("so does one that carries one message each way")
  func unaryCancelled() async throws {
    try await calling { channel in
      for moment in 0..<300 {
        await withTaskGroup(of: Void.self) { group in
          group.addTask { try? await channel.update(.init([:]), as: SessionName(nodeID: "w1", session: "s1")) }
          try? await Task.sleep(for: .microseconds(moment * 5))
          group.cancelAll()
        }
      }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix

extension ManagerHandlers {
  /// One stream on which a node is asked for logs, and one for each log that it sends.
  func logs(_ router: inout Router) {
    stream(.logRequests, &router) { (_: RPCAsyncSequence<NodeMessage.Empty, any Error>, writer, call: Call) in
      let requests = try await service.logRequests(of: try call.requireNode(), session: call.session ?? "")
      for await request in requests { try await writer.write(request) }
    }
    stream(.publishLog, &router) { (batches: RPCAsyncSequence<NodeMessage.LogBatch, any Error>, writer, call: Call) in
      let (node, log) = (try call.requireNode(), call.log ?? "")
      do { try await self.take(batches, writer, log, node) } catch {
        await service.endLog(log, of: node)
        throw error
      }
      await service.endLog(log, of: node)
    }
  }

  /// Ends also when nobody wants the log any more, which a quiet log would not notice.
  private func take(
    _ batches: RPCAsyncSequence<NodeMessage.LogBatch, any Error>, _ writer: RPCWriter<NodeMessage.Empty>, _ log: String,
    _ node: String
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await service.untilUnwanted(log: log, of: node) }
      group.addTask {
        for try await batch in batches {
          guard await service.publish(batch, under: log, of: node) else { return }
          try await writer.write(NodeMessage.Empty())
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

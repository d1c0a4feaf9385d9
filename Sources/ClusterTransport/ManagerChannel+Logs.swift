// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import GRPCCore

extension ManagerChannel {
  /// Lines that wait for the manager to take those before them.
  private static let queued = 64
  /// A batch of lines is sent once it has so many bytes, or when there are no more just now.
  private static let batchBytes = 64 << 10

  /// Takes requests for logs until the stream ends. `take` must not wait.
  package func logRequests(
    as node: SessionName, take: @escaping @Sendable (NodeMessage.LogRequest) async throws -> Void
  ) async throws {
    let (open, close) = AsyncStream.makeStream(of: Never.self)
    try await stream(.logRequests, node.metadata) { (_: RPCWriter<NodeMessage.Empty>) in
      // Nothing is said on this side.
      for await _ in open {}
    } take: { (requests: RPCAsyncSequence<NodeMessage.LogRequest, any Error>) in
      defer { close.finish() }
      for try await request in requests { try await take(request) }
    }
  }

  /// Sends a task's log until its end, or until the manager wants no more of it.
  package func publish(_ request: NodeMessage.LogRequest, as node: SessionName, from source: any TaskLogSource) async throws {
    let lines = BoundedQueue<LogLine>(capacity: Self.queued)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          for try await line in try await source.logs(of: request.task, options: request.options) {
            guard await lines.send(line) else { return }
          }
          lines.finish()
        } catch {
          lines.finish(throwing: error)
        }
      }
      defer {
        lines.close()
        group.cancelAll()
      }
      try await send(lines, request.id, node)
    }
  }

  private func send(_ lines: BoundedQueue<LogLine>, _ request: String, _ node: SessionName) async throws {
    var metadata = node.metadata
    metadata.addString(request, forKey: RPCHeader.log)
    // One batch at a time is under way.
    let (taken, acknowledge) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    try await stream(.publishLog, metadata) { (writer: RPCWriter<NodeMessage.LogBatch>) in
      var answers = taken.makeAsyncIterator()
      while let first = await lines.next() {
        try await writer.write(Self.batch(first, lines))
        guard await answers.next() != nil else { return }
      }
      try await writer.write(.init([], isLast: true, failure: lines.failure.map { "\($0)" }))
    } take: { (answers: RPCAsyncSequence<NodeMessage.Empty, any Error>) in
      defer {
        acknowledge.finish()
        lines.close()
      }
      for try await _ in answers { acknowledge.yield() }
    }
  }

  private static func batch(_ first: LogLine, _ lines: BoundedQueue<LogLine>) -> NodeMessage.LogBatch {
    var (batch, bytes) = ([first], first.bytes.count)
    while bytes < batchBytes, let next = lines.takeFirst() {
      batch.append(next)
      bytes += next.bytes.count
    }
    return .init(batch)
  }
}

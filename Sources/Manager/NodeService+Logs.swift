// SPDX-License-Identifier: Apache-2.0

package import ClusterRPC

/// Logs of tasks on other nodes.
extension NodeService {
  package nonisolated func logSource(forNode id: String) -> RemoteLogs { RemoteLogs(node: id, broker: logs) }

  package func logRequests(of node: String, session id: String) throws -> AsyncStream<NodeMessage.LogRequest> {
    _ = try session(id, of: node)
    return logs.requests(of: node)
  }

  package nonisolated func publish(_ batch: NodeMessage.LogBatch, under request: String, of node: String) async -> Bool {
    await logs.publish(batch, under: request, of: node)
  }

  package nonisolated func untilUnwanted(log request: String, of node: String) async {
    await logs.untilUnwanted(request, of: node)
  }

  package nonisolated func endLog(_ request: String, of node: String) { logs.end(request, of: node) }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterRPC
import Synchronization

extension ManagerLink {
  /// Each is a connection to the engine.
  private static let logLimit = 128
  private static let logRetry = Duration.seconds(1)

  /// Until cancelled. That logs cannot be read is no reason to end a session.
  func publishLogs(from source: any TaskLogSource, in name: SessionName) async {
    while !Task.isCancelled {
      do { try await answer(name, from: source) } catch {
        logger.debug("the managers cannot ask for logs", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: Self.logRetry)
    }
  }

  private func answer(_ name: SessionName, from source: any TaskLogSource) async throws {
    // Emptied at once into the task group; one too many is answered, too.
    let (requests, request) = AsyncStream.makeStream(of: NodeMessage.LogRequest.self, bufferingPolicy: .unbounded)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { request.finish() }
        try await self.channel.logRequests(as: name) { request.yield($0) }
      }
      group.addTask {
        await withDiscardingTaskGroup { logs in
          for await wish in requests {
            let isOneTooMany = self.state.withLock { state in
              state.openLogs += 1
              return state.openLogs > Self.logLimit
            }
            logs.addTask {
              await self.publish(wish, as: name, from: isOneTooMany ? NoLogs() : source)
              self.state.withLock { $0.openLogs -= 1 }
            }
          }
          logs.cancelAll()
        }
      }
      try await group.waitForAll()
    }
  }

  private func publish(_ wish: NodeMessage.LogRequest, as name: SessionName, from source: any TaskLogSource) async {
    do { try await channel.publish(wish, as: name, from: source) } catch {
      logger.debug("a log could not be sent", metadata: ["task": "\(wish.task.id)", "error": "\(error)"])
    }
  }
}

/// Answers what is one too many.
private struct NoLogs: TaskLogSource {
  struct Refusal: Error, CustomStringConvertible { let description = "too many logs of the node are read at once" }

  func logs(of task: LoggedTask, options: LogOptions) throws -> AsyncThrowingStream<LogLine, any Error> { throw Refusal() }
}

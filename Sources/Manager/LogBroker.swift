// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import Synchronization

/// Brings those who want a log together with the nodes that have it.
///
/// A node that is connected is asked on its one stream of requests and sends each log on a stream of its own, whose next lines wait until
/// the reader has taken those before.
final class LogBroker: Sendable {
  /// Requests that a node has not looked at yet; more are refused.
  private static let requestLimit = 1_024
  /// Lines between a node and the reader.
  private static let lineLimit = 64

  private struct Listener {
    let number: UInt64
    let requests: AsyncStream<NodeMessage.LogRequest>.Continuation
  }

  private struct Log {
    let node: String
    let task: String
    let lines: BoundedQueue<LogLine>
    /// Ends with the wish for it.
    let wanted: AsyncStream<Never>
    let end: AsyncStream<Never>.Continuation
  }

  private struct State {
    var listeners: [String: Listener] = [:]
    var logs: [String: Log] = [:]
    var count: UInt64 = 0
    var generator = SystemRandomNumberGenerator()
  }

  private let state = Mutex(State())

  /// What a node is asked from now on; a node has one such stream, the newest.
  func requests(of node: String) -> AsyncStream<NodeMessage.LogRequest> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: NodeMessage.LogRequest.self, bufferingPolicy: .bufferingOldest(Self.requestLimit))
    let (number, old) = state.withLock { state in
      state.count += 1
      return (state.count, state.listeners.updateValue(Listener(number: state.count, requests: continuation), forKey: node))
    }
    old?.requests.finish()
    continuation.onTermination = { [weak self] _ in self?.disconnect(node, number) }
    return stream
  }

  /// The lines that come for a task. Throws when the node cannot be asked, or is lost before the end.
  func lines(
    of task: LoggedTask, on node: String, options: ClusterRPC.LogOptions
  ) throws(LogSourceLost) -> AsyncThrowingStream<LogLine, any Error> {
    let lines = BoundedQueue<LogLine>(capacity: Self.lineLimit)
    let (wanted, end) = AsyncStream.makeStream(of: Never.self)
    let log = Log(node: node, task: task.id, lines: lines, wanted: wanted, end: end)
    let id = state.withLock { state -> String? in
      guard let listener = state.listeners[node] else { return nil }
      let id = Identifier.make(using: &state.generator)
      guard case .enqueued = listener.requests.yield(.init(id: id, task: task, options: options)) else { return nil }
      state.logs[id] = log
      return id
    }
    guard let id else { throw .unavailable(node) }
    let reader = LogReader(lines: lines) { [weak self] in self?.forget(id) }
    return AsyncThrowingStream { try await reader.next() }
  }
}

/// The nodes' side.
extension LogBroker {
  /// Whether the reader took them and wants more.
  func publish(_ batch: NodeMessage.LogBatch, under id: String, of node: String) async -> Bool {
    guard let log = log(id, node) else { return false }
    for line in batch.lines(of: log.task) {
      guard await log.lines.send(line) else { return false }
    }
    guard batch.isLast else { return true }
    finish(id, batch.failure.map(LogFailure.init))
    return false
  }

  func untilUnwanted(_ id: String, of node: String) async {
    guard let log = log(id, node) else { return }
    for await _ in log.wanted {}
  }

  /// The node sends no more of it; before the last batch, that is a loss.
  func end(_ id: String, of node: String) {
    if log(id, node) != nil { finish(id, LogSourceLost.disconnected(node)) }
  }

  /// The node is gone, and with it what it had not sent yet. `number` for one of its streams only.
  func disconnect(_ node: String, _ number: UInt64? = nil) {
    let (listener, logs) = state.withLock { state in
      guard let listener = state.listeners[node], number ?? listener.number == listener.number else {
        return (Listener?.none, [String]())
      }
      state.listeners[node] = nil
      return (listener, state.logs.filter { $0.value.node == node }.map(\.key))
    }
    listener?.requests.finish()
    for id in logs { finish(id, LogSourceLost.disconnected(node)) }
  }

  /// A node may send only what it was asked for.
  private func log(_ id: String, _ node: String) -> Log? {
    state.withLock { $0.logs[id].flatMap { $0.node == node ? $0 : nil } }
  }

  private func finish(_ id: String, _ failure: (any Error)?) {
    let log = state.withLock { $0.logs.removeValue(forKey: id) }
    log?.lines.finish(throwing: failure)
    log?.end.finish()
  }

  private func forget(_ id: String) {
    let log = state.withLock { $0.logs.removeValue(forKey: id) }
    log?.lines.close()
    log?.end.finish()
  }
}

/// What a node says of a log that it cannot read.
private struct LogFailure: Error, CustomStringConvertible {
  let description: String
}

/// One who reads; the wish for the log ends with this object, or with the task that reads.
private final class LogReader: Sendable {
  private let lines: BoundedQueue<LogLine>
  private let leave: @Sendable () -> Void

  init(lines: BoundedQueue<LogLine>, leave: @escaping @Sendable () -> Void) {
    self.lines = lines
    self.leave = leave
  }

  deinit { leave() }

  func next() async throws -> LogLine? {
    let line = await withTaskCancellationHandler {
      await lines.next()
    } onCancel: {
      // Not by `leave`: a log that has ended is forgotten there already, and its reader may still wait.
      lines.close()
      leave()
    }
    if line == nil, let failure = lines.failure { throw failure }
    return line
  }
}

/// A node as one that can be asked for logs.
package struct RemoteLogs: TaskLogSource {
  private let node: String
  private let broker: LogBroker

  init(node: String, broker: LogBroker) {
    self.node = node
    self.broker = broker
  }

  package func logs(of task: LoggedTask, options: ClusterRPC.LogOptions) throws -> AsyncThrowingStream<LogLine, any Error> {
    try broker.lines(of: task, on: node, options: options)
  }
}

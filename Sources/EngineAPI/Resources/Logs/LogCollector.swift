// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import Manager

/// Reads the logs of several tasks at once into one queue.
struct LogCollector: Sendable {
  let control: any SwarmControl
  let store: Store
  let options: ClusterRPC.LogOptions
  let framing: LogFraming
  /// The tasks wanted, from the store as it is; asked again on each change when following.
  let select: @Sendable (ClusterStore) -> [ClusterTask]
  /// Whether more may come once every task selected has been read.
  let mayGrow: @Sendable (ClusterStore) -> Bool
  let now: @Sendable () -> Timestamp

  /// Tasks read at once when not following: each is a connection to an engine.
  static let concurrency = 16

  func run(into queue: BoundedQueue<[UInt8]>) async {
    if options.follow { await follow(into: queue) } else { await readOnce(into: queue) }
    queue.finish()
  }

  private func readOnce(into queue: BoundedQueue<[UInt8]>) async {
    let tasks = await store.read(select)
    var reasons = tasks.filter(\.nodeID.isEmpty).map { "task \($0.id) has not been scheduled" }
    await withTaskGroup(of: String?.self) { group in
      var waiting = tasks.filter(\.hasLog)[...]
      var running = 0
      while true {
        while running < Self.concurrency, let task = waiting.popFirst() {
          group.addTask { await read(task, into: queue) }
          running += 1
        }
        guard let result = await group.next() else { break }
        running -= 1
        // A node that is lost is one reason, however many of its tasks are missing.
        if let reason = result, !reasons.contains(reason) { reasons.append(reason) }
      }
    }
    if !reasons.isEmpty { _ = await queue.send(framing.failure(reasons)) }
  }

  /// Why the log could not be read; `nil` when it was, to its end or until the client left.
  private func read(_ task: ClusterTask, into queue: BoundedQueue<[UInt8]>) async -> String? {
    do { return try await read(task, options, into: queue) {} } catch { return "\(error)" }
  }

  /// As `read`; throws when the node cannot be asked, or is lost. `heard` is called at each line.
  func read(
    _ task: ClusterTask, _ options: ClusterRPC.LogOptions, into queue: BoundedQueue<[UInt8]>, heard: () -> Void
  ) async throws(LogSourceLost) -> String? {
    guard let source = await control.logSource(forNode: task.nodeID) else { throw .unavailable(task.nodeID) }
    do {
      for try await line in try await source.logs(of: LoggedTask(task), options: options) {
        heard()
        guard await queue.send(framing.bytes(line, of: task)) else { return nil }
      }
      return nil
    } catch let lost as LogSourceLost {
      throw lost
    } catch {
      return Task.isCancelled ? nil : "task \(task.id): \(error)"
    }
  }
}

extension ClusterTask {
  /// A container was made for it; before that there is nothing to read.
  var hasLog: Bool { !nodeID.isEmpty && !status.containerID.isEmpty }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import EngineClient
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
        if let reason = result { reasons.append(reason) }
      }
    }
    if !reasons.isEmpty { _ = await queue.send(framing.failure(reasons)) }
  }

  /// Until nothing more can come, or the client leaves.
  private func follow(into queue: BoundedQueue<[UInt8]>) async {
    let logs = OpenLogs()
    let watcher = await store.watch(logs.signal)
    await withDiscardingTaskGroup(returning: Void.self) { group in
      var known: Set<String> = []
      for await _ in logs.changes {
        let state = await store.read { $0 }
        for task in select(state) where task.hasLog && known.insert(task.id).inserted {
          logs.begin()
          group.addTask {
            // The client waits for more: it is told at once what it will not get.
            if let reason = await read(task, into: queue) { _ = await queue.send(framing.failure([reason])) }
            logs.end()
          }
        }
        if !mayGrow(state), logs.isEmpty { break }
      }
      group.cancelAll()
    }
    await store.stopWatching(watcher)
  }

  /// Why the log could not be read; `nil` when it was, to its end or until the client left.
  private func read(_ task: ClusterTask, into queue: BoundedQueue<[UInt8]>) async -> String? {
    guard let source = await control.logSource(forNode: task.nodeID) else { return "node \(task.nodeID) is not available" }
    do {
      for try await line in try await source.logs(of: task, options: options) {
        guard await queue.send(framing.bytes(line, of: task)) else { return nil }
      }
      return nil
    } catch let error as EngineError where error.code == .notFound {
      // The container of an ended task may have been removed by hand.
      return nil
    } catch {
      return Task.isCancelled ? nil : "task \(task.id): \(error)"
    }
  }
}

extension ClusterTask {
  /// A container was made for it; before that there is nothing to read.
  fileprivate var hasLog: Bool { !nodeID.isEmpty && !status.containerID.isEmpty }
}

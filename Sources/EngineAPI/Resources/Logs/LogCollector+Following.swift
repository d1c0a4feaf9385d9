// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore

extension LogCollector {
  /// Before a lost node is asked again.
  private static let patience = Duration.milliseconds(500)

  /// Until nothing more can come, or the client leaves.
  func follow(into queue: BoundedQueue<[UInt8]>) async {
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
            if let reason = await readOn(task, into: queue) { _ = await queue.send(framing.failure([reason])) }
            logs.end()
          }
        }
        if !mayGrow(state), logs.isEmpty { break }
      }
      group.cancelAll()
    }
    await store.stopWatching(watcher)
  }

  /// A node that is lost says nothing more, as in swarm: clients take what is told in band for the end of everything. Once it is back its
  /// log goes on where it broke off, by the manager's clock.
  private func readOn(_ task: ClusterTask, into queue: BoundedQueue<[UInt8]>) async -> String? {
    var (options, last) = (options, Timestamp?.none)
    while true {
      do {
        return try await read(task, options, into: queue) { last = now() }
      } catch {
        if let last { options = self.options.goingOn(from: last) }
        guard (try? await Task.sleep(for: Self.patience)) != nil, await mayReturn(task) else { return nil }
      }
    }
  }

  private func mayReturn(_ task: ClusterTask) async -> Bool {
    let (id, node) = (task.id, task.nodeID)
    return await store.read { store in
      mayGrow(store) && store.nodes[node] != nil && select(store).contains { $0.id == id }
    }
  }
}

extension ClusterRPC.LogOptions {
  fileprivate func goingOn(from time: Timestamp) -> ClusterRPC.LogOptions {
    var options = self
    let fraction = String(time.nanoseconds % 1_000_000_000)
    options.since = "\(time.nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
    options.tail = "all"
    return options
  }
}

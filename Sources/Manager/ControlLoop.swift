// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import ClusterStore
package import Logging
import Orchestration
import Synchronization

/// The leader's loop around `ControlPlane`: feeds it what changed and the time, commits what it decides, and re-arms its timer.
package final class ControlLoop: Sendable {
  private let store: Store
  private let now: @Sendable () -> Now
  private let logger: Logger
  private let wakeup = Wakeup()
  private let plane = Mutex(ControlPlane(generator: SystemRandomNumberGenerator()))

  /// How long to wait after a write failed before deciding anew from what the store holds.
  private static let retryDelay = Duration.seconds(1)

  package init(store: Store, logger: Logger, now: @escaping @Sendable () -> Now) {
    self.store = store
    self.logger = logger
    self.now = now
  }

  /// Runs until cancelled. Everything it knows it rebuilds from the store first.
  package func run() async {
    let watcher = await store.watch(wakeup.signal)
    var isNew = true
    var failure: String?
    while !Task.isCancelled {
      let dirty = await store.takeDirty(watcher)
      let began = now().uptime
      do {
        let deadline = try await store.batch { [isNew] transaction in
          self.plane.withLock { $0.step(isNew ? nil : dirty, transaction: &transaction, now: self.now()) }
        }
        isNew = false
        if failure != nil { logger.info("the cluster's state can be written again") }
        failure = nil
        for warning in plane.withLock({ $0.takeWarnings() }) { logger.warning("\(warning)") }
        await wakeup.wait(until: deadline, uptime: now().uptime)
        await wakeup.pace(since: began, uptime: now().uptime)
      } catch {
        if failure != "\(error)" {
          logger.error(
            "the cluster's state cannot be written: what runs goes on, nothing is replaced or updated until it can",
            metadata: ["error": "\(error)"])
        }
        failure = "\(error)"
        plane.withLock { $0 = ControlPlane(generator: SystemRandomNumberGenerator()) }
        isNew = true
        try? await Task.sleep(for: Self.retryDelay)
      }
    }
    await store.stopWatching(watcher)
  }

  /// A node's answer to the drain barrier.
  func note(nodeID: String, generation: UInt64, openConnections: [String: Int]) {
    let isAwaited = plane.withLock { $0.note(nodeID: nodeID, generation: generation, openConnections: openConnections) }
    if isAwaited { wakeup.signal.yield() }
  }
}

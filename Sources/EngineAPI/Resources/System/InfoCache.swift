// SPDX-License-Identifier: Apache-2.0

import ClusterStore
import Manager
import Synchronization

/// The last `Info.Swarm` that was made, for the moments in which the store does not answer at once.
final class InfoCache: Sendable {
  private let last = Mutex<[String: InfoSection]>([:])

  /// How long `/info` waits for the store. It is asked for more often than anything else, and must answer while a swarm is broken.
  private static let patience = Duration.milliseconds(500)

  func section(of swarm: ActiveSwarm) async throws -> InfoSection {
    guard let state = await Self.snapshot(of: swarm.store) else {
      let busy = "the manager is busy; what is shown may be old"
      if let known = last.withLock({ $0[swarm.nodeID] }) { return known }
      return try InfoSection(nodeID: swarm.nodeID, address: swarm.address, store: nil, error: busy)
    }
    let section = try InfoSection(nodeID: swarm.nodeID, address: swarm.address, store: state)
    last.withLock { $0 = [swarm.nodeID: section] }
    return section
  }

  /// `nil` when the store took too long. Tasks of their own, because a place in an actor's queue cannot be given up: a task group
  /// would wait for the store at its end.
  private static func snapshot(of store: Store) async -> ClusterStore? {
    let (answers, answer) = AsyncStream.makeStream(of: ClusterStore?.self, bufferingPolicy: .bufferingOldest(1))
    Task { answer.yield(await store.read { $0 }) }
    let timer = Task {
      try await Task.sleep(for: patience)
      answer.yield(nil)
    }
    defer { timer.cancel() }
    for await state in answers { return state }
    return nil
  }
}

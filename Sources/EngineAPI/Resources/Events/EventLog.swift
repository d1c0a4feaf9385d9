// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import Manager
import Synchronization

/// The swarm's events since this process began: kept whether or not anybody listens, told to those who do. It outlives a swarm that
/// is left, as the engine's own record does, and ends with the process.
package final class EventLog: Sendable {
  private struct State {
    var ring = EventRing()
    var listeners: [Int: (filter: EventFilter, events: AsyncStream<ClusterEvent>.Continuation)] = [:]
    var nextListener = 0
  }

  /// Events that wait for one listener. As with the engine, one who does not keep up misses what does not fit any more, and nobody
  /// waits for him.
  static let backlog = 1_024

  private let state = Mutex(State())

  package init() {}

  /// Records what happens in the store from now on, until the store is gone.
  package func follow(_ store: Store, now: @escaping @Sendable () -> Timestamp) async {
    await store.observe { [self] changes, before in
      record(ClusterEvent.events(of: changes, before: before, now: now()))
    }
  }

  package func record(_ events: [ClusterEvent]) {
    if events.isEmpty { return }
    state.withLock { state in
      for event in events {
        state.ring.append(event)
        for listener in state.listeners.values where listener.filter.includes(event) { listener.events.yield(event) }
      }
    }
  }

  /// What there is of the past, and all that follows. To listen ends with the stream.
  func listen(_ window: EventWindow, _ filter: EventFilter) -> (past: [ClusterEvent], live: AsyncStream<ClusterEvent>) {
    let (live, continuation) = AsyncStream.makeStream(
      of: ClusterEvent.self, bufferingPolicy: .bufferingOldest(Self.backlog))
    return state.withLock { state in
      let number = state.nextListener
      state.nextListener += 1
      state.listeners[number] = (filter, continuation)
      continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[number] = nil } }
      return (state.ring.past(in: window, filter), live)
    }
  }

  var listenerCount: Int { state.withLock { $0.listeners.count } }
}

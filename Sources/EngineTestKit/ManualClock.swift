// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Synchronization

/// Time that stands still until a test moves it.
package final class ManualClock: Sendable {
  private struct Sleeper {
    var id: Int
    var deadline: Duration
    var continuation: CheckedContinuation<Bool, Never>
  }
  private struct State {
    var uptime = Duration.seconds(1_000)
    var nextID = 0
    var sleepers: [Sleeper] = []
  }

  private let state = Mutex(State())
  private static let epoch = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

  package init() {}

  package func now() -> Now {
    let uptime = state.withLock { $0.uptime }
    return Now(wall: Self.epoch + uptime, uptime: uptime)
  }

  /// How many sleep now.
  package var sleepers: Int { state.withLock { $0.sleepers.count } }

  /// Wakes everybody whose time has come.
  package func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.uptime += duration
      let (due, later) = (
        state.sleepers.filter { $0.deadline <= state.uptime }, state.sleepers.filter { $0.deadline > state.uptime }
      )
      state.sleepers = later
      return due
    }
    for sleeper in due { sleeper.continuation.resume(returning: true) }
  }

  /// Throws `CancellationError` when cancelled.
  package func sleep(_ duration: Duration) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let slept = await withTaskCancellationHandler {
      await withCheckedContinuation { enqueue(id, duration, $0) }
    } onCancel: {
      let sleeper = state.withLock { state in
        state.sleepers.firstIndex { $0.id == id }.map { state.sleepers.remove(at: $0) }
      }
      sleeper?.continuation.resume(returning: false)
    }
    guard slept else { throw CancellationError() }
  }

  private func enqueue(_ id: Int, _ duration: Duration, _ continuation: CheckedContinuation<Bool, Never>) {
    let answer: Bool? = state.withLock { state in
      if Task.isCancelled { return false }
      guard duration > .zero else { return true }
      state.sleepers.append(Sleeper(id: id, deadline: state.uptime + duration, continuation: continuation))
      return nil
    }
    if let answer { continuation.resume(returning: answer) }
  }
}

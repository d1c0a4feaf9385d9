// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Lets at most so many bodies run at a time; the others wait in order, and may be cancelled while they wait.
final class Slots: Sendable {
  private struct State {
    var free: Int
    var nextID = 0
    var waiting: [(id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: count)) }

  /// Throws `CancellationError` when cancelled while waiting, and what `body` throws.
  func withSlot<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await acquire()
    defer { release() }
    return try await body()
  }

  private func acquire() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let acquired = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in enqueue(id, continuation) }
    } onCancel: {
      abandon(id)
    }
    guard acquired else { throw CancellationError() }
  }

  private func enqueue(_ id: Int, _ continuation: CheckedContinuation<Bool, Never>) {
    let answer: Bool? = state.withLock { state in
      // The cancellation handler may have run before there was anything to abandon.
      if Task.isCancelled { return false }
      if state.free > 0 {
        state.free -= 1
        return true
      }
      state.waiting.append((id, continuation))
      return nil
    }
    if let answer { continuation.resume(returning: answer) }
  }

  private func abandon(_ id: Int) {
    let continuation = state.withLock { state in
      state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
    }
    continuation?.resume(returning: false)
  }

  private func release() {
    let next = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil as CheckedContinuation<Bool, Never>?
      }
      return state.waiting.removeFirst().continuation
    }
    next?.resume(returning: true)
  }
}

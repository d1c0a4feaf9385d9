// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a call says, ended before the call's stream is closed.
///
/// The library closes a call's stream as soon as its answer is handled, and takes a message that is being written at that
/// moment for a mistake: a program built for debugging is ended by it. So whoever handles the answer calls `end` last.
final class CallProducer: Sendable {
  private enum State {
    case waiting
    case running
    case ended
  }

  private let state = Mutex(State.waiting)
  private let wanted = AsyncStream.makeStream(of: Never.self)
  private let done = AsyncStream.makeStream(of: Never.self)

  /// Runs `body`, and cancels it when `end` is called, after which it is no failure. Once; says nothing after `end`.
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    guard enter(.running) == .waiting else { return }
    defer { done.continuation.finish() }
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(operation: body)
        group.addTask { for await _ in self.wanted.stream {} }
        defer { group.cancelAll() }
        try await group.next()
      }
    } catch {
      guard state.withLock({ $0 }) != .ended else { return }
      throw error
    }
  }

  /// Returns when nothing is said any more. Once.
  func end() async {
    guard enter(.ended) == .running else { return }
    wanted.continuation.finish()
    // Not for who asks to be cancelled: `run` ends by itself.
    await Task { for await _ in done.stream {} }.value
  }

  /// What it was in before; it never leaves its end.
  private func enter(_ next: State) -> State {
    state.withLock { state in
      defer { if state != .ended { state = next } }
      return state
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A queue between several producers and one consumer. At its capacity, producers wait until the consumer has taken something.
package final class BoundedQueue<Element: Sendable>: Sendable {
  private struct State {
    var buffer: [Element] = []
    /// In the order they came, each with what it wants to add.
    var senders: [(element: Element, continuation: CheckedContinuation<Bool, Never>)] = []
    var receiver: CheckedContinuation<Element?, Never>?
    var isFinished = false
    var failure: (any Error)?
    var isClosed = false

    /// Lets the producer that waits longest add what it has.
    mutating func takeFirst() -> Element? {
      guard !buffer.isEmpty else { return nil }
      let first = buffer.removeFirst()
      guard !senders.isEmpty else { return first }
      let sender = senders.removeFirst()
      buffer.append(sender.element)
      sender.continuation.resume(returning: true)
      return first
    }
  }

  private let state = Mutex(State())
  private let capacity: Int

  package init(capacity: Int) { self.capacity = capacity }

  /// False once the consumer has left.
  package func send(_ element: Element) async -> Bool {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        if state.isClosed {
          continuation.resume(returning: false)
        } else if let receiver = state.receiver {
          state.receiver = nil
          receiver.resume(returning: element)
          continuation.resume(returning: true)
        } else if state.buffer.count < capacity {
          state.buffer.append(element)
          continuation.resume(returning: true)
        } else {
          state.senders.append((element, continuation))
        }
      }
    }
  }

  /// `nil` at the end. To be called by one consumer, and not again before it returned.
  package func next() async -> Element? {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        if let first = state.takeFirst() {
          continuation.resume(returning: first)
        } else if state.isFinished || state.isClosed {
          continuation.resume(returning: nil)
        } else {
          state.receiver = continuation
        }
      }
    }
  }

  /// What is there already; `nil` for nothing. By the same consumer.
  package func takeFirst() -> Element? { state.withLock { $0.takeFirst() } }

  /// Why the producers ended before their time.
  package var failure: (any Error)? { state.withLock { $0.failure } }

  /// The producers have ended; what is queued is still delivered.
  package func finish(throwing failure: (any Error)? = nil) {
    state.withLock { state in
      state.isFinished = true
      state.failure = failure
      state.receiver?.resume(returning: nil)
      state.receiver = nil
    }
  }

  /// The consumer leaves: everybody who waits goes on, what is queued is dropped.
  package func close() {
    state.withLock { state in
      state.isClosed = true
      state.buffer = []
      for sender in state.senders { sender.continuation.resume(returning: false) }
      state.senders = []
      state.receiver?.resume(returning: nil)
      state.receiver = nil
    }
  }
}

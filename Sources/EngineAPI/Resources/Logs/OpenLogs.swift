// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many logs are being followed, and a signal when that or the store has changed.
final class OpenLogs: Sendable {
  let changes: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  private let count = Mutex(0)

  /// Signals once at the start.
  init() {
    (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    continuation.yield()
  }

  var isEmpty: Bool { count.withLock { $0 == 0 } }

  func signal() { continuation.yield() }

  func begin() { count.withLock { $0 += 1 } }

  func end() {
    count.withLock { $0 -= 1 }
    continuation.yield()
  }
}

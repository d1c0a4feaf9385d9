// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Synchronization

/// Bounds what request bodies take of memory, over all connections: thousands of clients may each be in the middle of one.
final class BodyBudget: Sendable {
  private let used = Mutex(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// One request's part. Give it back with `release()` when the body is no longer needed.
  final class Share: Sendable {
    private let budget: BodyBudget
    private let taken = Mutex(0)

    fileprivate init(_ budget: BodyBudget) { self.budget = budget }

    /// Throws when there is no room for so many more bytes.
    func take(_ count: Int) throws {
      guard budget.take(count) else { throw HTTPSyntaxError(status: 503, "too many request bodies at a time; try again") }
      taken.withLock { $0 += count }
    }

    func release() {
      let count = taken.withLock { taken in
        defer { taken = 0 }
        return taken
      }
      budget.used.withLock { $0 -= count }
    }
  }

  func share() -> Share { Share(self) }

  private func take(_ count: Int) -> Bool {
    used.withLock { used in
      guard used + count <= limit else { return false }
      used += count
      return true
    }
  }
}

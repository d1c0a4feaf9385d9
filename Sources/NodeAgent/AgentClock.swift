// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The agent's only source of time.
package struct AgentClock: Sendable {
  package var now: @Sendable () -> Now
  /// Throws `CancellationError` when cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void

  package init(now: @escaping @Sendable () -> Now, sleep: @escaping @Sendable (Duration) async throws -> Void) {
    self.now = now
    self.sleep = sleep
  }
}

/// Growing pauses between attempts: 100 ms, doubled up to 5 s.
struct Backoff: Sendable {
  private var pause = Duration.milliseconds(100)

  mutating func next() -> Duration {
    defer { pause = min(pause * 2, .seconds(5)) }
    return pause
  }
}

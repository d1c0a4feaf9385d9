// SPDX-License-Identifier: Apache-2.0

/// When a relay that died may be started again: at once, unless it keeps dying.
struct RestartBackoff: Sendable {
  private static let steady: UInt64 = 10_000_000_000
  private static let first: UInt64 = 50_000_000
  private static let longest: UInt64 = 5_000_000_000

  private var lastStart: UInt64?
  private var quickDeaths = 0

  /// Nanoseconds to wait before the start that follows a death at `now`.
  mutating func delay(now: UInt64) -> UInt64 {
    guard let lastStart, now < lastStart + Self.steady else {
      quickDeaths = 0
      return 0
    }
    quickDeaths += 1
    return quickDeaths == 1 ? 0 : min(Self.longest, Self.first << min(quickDeaths - 2, 16))
  }

  mutating func started(at now: UInt64) {
    lastStart = now
  }
}

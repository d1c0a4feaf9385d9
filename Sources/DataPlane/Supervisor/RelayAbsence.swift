// SPDX-License-Identifier: Apache-2.0

/// How often to look for a relay that somebody else starts: closely while it may be starting again, and with a complaint when it
/// does not come.
struct RelayAbsence: Sendable {
  private static let close: UInt64 = 2_000_000
  private static let wide: UInt64 = 100_000_000
  private static let patience: UInt64 = 1_000_000_000
  private static let complaint: UInt64 = 5_000_000_000

  private var since: UInt64?
  private var hasComplained = false

  /// When to look again; `isLong` once, when it has been missing for 5 s.
  mutating func missed(at now: UInt64) -> (next: UInt64, isLong: Bool) {
    let begun = since ?? now
    since = begun
    let isLong = !hasComplained && now >= begun + Self.complaint
    hasComplained = hasComplained || isLong
    return (now + (now < begun + Self.patience ? Self.close : Self.wide), isLong)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// `since` and `until` of `GET /events`: unix seconds with a fraction. The engine has refused what is malformed.
package struct EventWindow: Sendable, Hashable {
  package var since: Timestamp?
  package var until: Timestamp?

  package init(since: String?, until: String?) {
    self.since = Self.time(since)
    self.until = Self.time(until)
  }

  /// Whether events of the past are asked for. An end alone asks for all before it.
  package var hasPast: Bool { since != nil || until != nil }

  package func contains(_ time: Timestamp) -> Bool {
    hasPast && time >= (since ?? time) && time <= (until ?? time)
  }

  /// Whether nothing that is still to come is asked for.
  package func isOver(at now: Timestamp) -> Bool { until.map { $0 < now } ?? false }

  /// The query for the past alone: up to `now`, and no further than was asked for. `nil` when there is none.
  package func pastQuery(at now: Timestamp) -> (since: String?, until: String)? {
    guard hasPast, (since ?? now) <= now else { return nil }
    return (since.map(Self.text), Self.text(min(until ?? now, now)))
  }

  /// The engine takes -1 for no time at all. Before 1970 nothing happened.
  private static func time(_ text: String?) -> Timestamp? {
    let parts = (text ?? "").split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let seconds = Int64(first), seconds != -1 else { return nil }
    guard seconds >= 0 else { return .zero }
    let fraction = Int64((parts.dropFirst().first ?? "").prefix(9).padded) ?? 0
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isTooMuch) = whole.addingReportingOverflow(fraction)
    return Timestamp(nanoseconds: overflow || isTooMuch ? .max : max(sum, 0))
  }

  private static func text(_ time: Timestamp) -> String {
    let fraction = String(time.nanoseconds % 1_000_000_000)
    return "\(time.nanoseconds / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
  }
}

extension Substring {
  /// To nine digits of a fraction.
  fileprivate var padded: String { self + String(repeating: "0", count: 9 - Swift.min(count, 9)) }
}

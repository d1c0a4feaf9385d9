// SPDX-License-Identifier: Apache-2.0

/// A moment of wall-clock time in nanoseconds since 1970, UTC. The zero value is Go's zero time and prints as year 1.
package struct Timestamp: Sendable, Hashable, Comparable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let zero = Timestamp(nanoseconds: 0)

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

  package static func - (left: Timestamp, right: Timestamp) -> Duration { .nanoseconds(left.nanoseconds - right.nanoseconds) }

  package static func + (left: Timestamp, right: Duration) -> Timestamp {
    Timestamp(nanoseconds: left.nanoseconds + right.nanoseconds)
  }
}

extension Duration {
  /// Whole nanoseconds, saturating.
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (high, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (seconds < 0 ? .min : .max) : high + attoseconds / 1_000_000_000
  }
}

extension Timestamp: CustomStringConvertible, Codable {
  /// RFC 3339 with nanoseconds and no trailing zeros, as Go prints times in JSON.
  package var description: String {
    guard self != .zero else { return "0001-01-01T00:00:00Z" }
    var seconds = nanoseconds / 1_000_000_000
    var fraction = nanoseconds % 1_000_000_000
    if fraction < 0 {
      seconds -= 1
      fraction += 1_000_000_000
    }
    let text = Self.civil(seconds)
    guard fraction > 0 else { return text + "Z" }
    var digits = String(fraction)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(text).\(digits)Z"
  }

  package init(from decoder: any Decoder) throws {
    self.init(nanoseconds: try decoder.singleValueContainer().decode(Int64.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(nanoseconds)
  }

  /// Days to a civil date: http://howardhinnant.github.io/date_algorithms.html#civil_from_days
  private static func civil(_ seconds: Int64) -> String {
    let days = (seconds - ((seconds % 86_400) + 86_400) % 86_400) / 86_400
    let time = seconds - days * 86_400
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
    return "\(pad(year, 4))-\(pad(calendarMonth))-\(pad(day))T\(pad(time / 3_600)):\(pad(time / 60 % 60)):\(pad(time % 60))"
  }

  private static func pad(_ number: Int64, _ width: Int = 2) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}

/// The time a decision is made at, passed in by the shell: the wall clock for what is shown, a monotonic one for every deadline.
package struct Now: Sendable, Hashable {
  package var wall: Timestamp
  /// Since an arbitrary start; never goes back.
  package var uptime: Duration

  package init(wall: Timestamp, uptime: Duration) {
    self.wall = wall
    self.uptime = uptime
  }
}

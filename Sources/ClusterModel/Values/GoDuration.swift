// SPDX-License-Identifier: Apache-2.0

/// A duration as Go writes it: `300ms`, `10s`, `1m30s`, `-1.5h`.
package struct GoDuration: Sendable, Hashable {
  package let duration: Duration

  package init(_ duration: Duration) { self.duration = duration }

  /// `nil` for anything that Go's `time.ParseDuration` refuses.
  package init?(_ text: String) {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" {
      duration = .zero
      return
    }
    guard !rest.isEmpty else { return nil }
    var total = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
      rest = rest.dropFirst(unit.count)
      guard let amount = Double(number), let scale = Self.nanoseconds[String(unit)] else { return nil }
      total += amount * scale
    }
    guard total < Double(Int64.max) else { return nil }
    duration = .nanoseconds(Int64(isNegative ? -total : total))
  }

  private static let nanoseconds: [String: Double] = [
    "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3_600e9,
  ]
}

extension GoDuration: CustomStringConvertible {
  /// As Go prints it: `1m0s`, `1.5s`, `200ms`.
  package var description: String {
    let nanoseconds = duration.nanoseconds
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let size = nanoseconds.magnitude
    if size < 1_000 { return "\(sign)\(size)ns" }
    if size < 1_000_000 { return "\(sign)\(Self.decimal(size, 1_000))µs" }
    if size < 1_000_000_000 { return "\(sign)\(Self.decimal(size, 1_000_000))ms" }
    let seconds = "\(Self.decimal(size % 60_000_000_000, 1_000_000_000))s"
    let minutes = size / 60_000_000_000
    if minutes == 0 { return sign + seconds }
    return minutes < 60 ? "\(sign)\(minutes)m\(seconds)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func decimal(_ number: UInt64, _ unit: UInt64) -> String {
    let fraction = number % unit
    guard fraction > 0 else { return String(number / unit) }
    let width = String(unit).count - 1
    var digits = String(fraction)
    digits = String(repeating: "0", count: width - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(number / unit).\(digits)"
  }
}

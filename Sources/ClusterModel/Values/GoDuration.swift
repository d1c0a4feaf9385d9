// SPDX-License-Identifier: Apache-2.0

/// Durations as Go writes them: `1m30s`, `1.5h`, `300ms`. https://pkg.go.dev/time#ParseDuration
package struct GoDuration: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// `nil` for what Go refuses, such as a number without a unit, and for what does not fit.
  package init?(_ text: some StringProtocol) {
    var rest = ArraySlice(text.utf8)
    let negative = rest.first == UInt8(ascii: "-")
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
    guard !rest.isEmpty else { return nil }
    if rest.elementsEqual("0".utf8) {
      self.init(nanoseconds: 0)
      return
    }
    var total: Int64 = 0
    while !rest.isEmpty {
      guard let term = Self.term(&rest) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(term)
      guard !overflow else { return nil }
      total = sum
    }
    self.init(nanoseconds: negative ? -total : total)
  }

  package var duration: Duration { .nanoseconds(nanoseconds) }

  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  private static func term(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    let whole = digits(&rest)
    var fraction = ""
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      fraction = digits(&rest)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    let name = rest.prefix { $0 != UInt8(ascii: ".") && !(0x30...0x39).contains($0) }
    guard let unit = units.first(where: { $0.name.utf8.elementsEqual(name) })?.nanoseconds else { return nil }
    rest.removeFirst(name.count)
    guard let count = Int64(whole.isEmpty ? "0" : whole) else { return nil }
    let (base, overflow) = count.multipliedReportingOverflow(by: unit)
    let (sum, carry) = base.addingReportingOverflow(scaled(fraction, unit))
    return overflow || carry ? nil : sum
  }

  private static func digits(_ rest: inout ArraySlice<UInt8>) -> String {
    let run = rest.prefix { (0x30...0x39).contains($0) }
    defer { rest.removeFirst(run.count) }
    return String(decoding: run, as: UTF8.self)
  }

  // In floating point and cut off below a nanosecond, as in Go.
  private static func scaled(_ fraction: String, _ unit: Int64) -> Int64 {
    var (value, scale) = (0.0, 1.0)
    for digit in fraction.utf8.prefix(18) {
      value = value * 10 + Double(digit - 0x30)
      scale *= 10
    }
    return Int64(value * (Double(unit) / scale))
  }
}

extension GoDuration {
  /// As Go prints it: `1m0s`, `1.5s`, `300ms`, `0s`.
  package var description: String {
    guard nanoseconds != 0 else { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let size = nanoseconds.magnitude
    if size < 1_000 { return "\(sign)\(size)ns" }
    if size < 1_000_000 { return sign + Self.decimal(size, per: 1_000) + "µs" }
    if size < 1_000_000_000 { return sign + Self.decimal(size, per: 1_000_000) + "ms" }
    let minutes = size / 60_000_000_000
    let seconds = Self.decimal(size % 60_000_000_000, per: 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
    return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func decimal(_ value: UInt64, per unit: UInt64) -> String {
    guard value % unit != 0 else { return String(value / unit) }
    var fraction = String(String(unit + value % unit).dropFirst())
    while fraction.last == "0" { fraction.removeLast() }
    return "\(value / unit).\(fraction)"
  }
}

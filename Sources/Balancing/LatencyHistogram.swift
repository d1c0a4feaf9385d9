// SPDX-License-Identifier: Apache-2.0

/// Durations, counted in buckets as wide as they are long: each power of two is divided into 32, so that a duration is known to 3%
/// of itself from 1 µs to 69 s. Shorter ones are counted as 1 µs, longer ones as 69 s.
///
/// The layout is that of HdrHistogram (Gil Tene, https://github.com/HdrHistogram/HdrHistogram): a value's highest bit and the five
/// below it are its bucket's number, so recording is a shift and an addition, and two histograms add up bucket by bucket.
package struct LatencyHistogram: Hashable, Sendable {
  /// Each power of two has two to the power of this many buckets.
  static let precision = 5
  /// All below two to the power of this many nanoseconds is the first bucket.
  static let firstExponent = 10
  /// All from two to the power of this many nanoseconds on is in the last bucket.
  static let endExponent = 36
  static let bucketCount = 1 + (endExponent - firstExponent) << precision

  /// Empty until the first is recorded: 6.5 KiB, and never more.
  private var counts: [UInt64] = []
  package private(set) var count: UInt64 = 0
  /// In nanoseconds, and exact.
  package private(set) var sum: UInt64 = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }

  package mutating func record(_ nanoseconds: UInt64) {
    if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.bucketCount) }
    counts[Self.bucket(of: nanoseconds)] &+= 1
    count &+= 1
    sum &+= nanoseconds
  }

  /// As if all that the other holds had been recorded here.
  package mutating func merge(_ other: LatencyHistogram) {
    if other.counts.isEmpty { return }
    if counts.isEmpty {
      self = other
      return
    }
    for index in counts.indices { counts[index] &+= other.counts[index] }
    count &+= other.count
    sum &+= other.sum
  }

  /// Nanoseconds that this part of the durations did not exceed, as the upper end of a bucket; `nil` while there are none.
  package func quantile(_ part: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let rank = UInt64(max(1, min(Double(count), (part * Double(count)).rounded(.up))))
    var seen: UInt64 = 0
    for (index, count) in counts.enumerated() {
      seen &+= count
      if seen >= rank { return Self.longest(in: index) }
    }
    return Self.longest(in: Self.bucketCount - 1)
  }

  /// How many durations did not exceed each of the bounds, which ascend. One in a bucket that a bound divides counts as longer.
  package func counts(upTo bounds: [UInt64]) -> [UInt64] {
    var index = 0
    var seen: UInt64 = 0
    return bounds.map { bound in
      while index < counts.count, Self.longest(in: index) <= bound {
        seen &+= counts[index]
        index += 1
      }
      return seen
    }
  }

  static func bucket(of nanoseconds: UInt64) -> Int {
    let exponent = UInt64.bitWidth - 1 - nanoseconds.leadingZeroBitCount
    if exponent < firstExponent { return 0 }
    if exponent >= endExponent { return bucketCount - 1 }
    let within = Int(nanoseconds >> UInt64(exponent - precision)) & ((1 << precision) - 1)
    return 1 + (exponent - firstExponent) << precision + within
  }

  /// The longest duration of a bucket.
  static func longest(in bucket: Int) -> UInt64 {
    guard bucket > 0 else { return 1 << UInt64(firstExponent) - 1 }
    let exponent = firstExponent + (bucket - 1) >> precision
    let within = (bucket - 1) & ((1 << precision) - 1)
    let width = UInt64(1) << UInt64(exponent - precision)
    return UInt64(1) << UInt64(exponent) + (UInt64(within) + 1) * width - 1
  }
}

extension LatencyHistogram {
  private static let entrySize = 10

  /// Only the buckets that are not empty.
  package func encode(into writer: inout BinaryWriter) {
    writer.write(sum)
    writer.write(UInt32(counts.count { $0 > 0 }))
    for (index, count) in counts.enumerated() where count > 0 {
      writer.write(UInt16(index))
      writer.write(count)
    }
  }

  /// Refuses buckets that there are not, empty ones, and any out of order.
  package init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    sum = try reader.read()
    var next = 0
    for _ in 0..<(try reader.readCount(elementsOf: Self.entrySize)) {
      let index = Int(try reader.read(UInt16.self))
      let number = try reader.read(UInt64.self)
      let (total, isTooMuch) = count.addingReportingOverflow(number)
      guard index >= next, index < Self.bucketCount, number > 0, !isTooMuch else {
        throw BinaryCodingError(.invalidValue, "\(number) durations in bucket \(index) of a histogram")
      }
      if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.bucketCount) }
      counts[index] = number
      count = total
      next = index + 1
    }
    guard count > 0 || sum == 0 else { throw BinaryCodingError(.invalidValue, "a sum of no durations") }
  }
}

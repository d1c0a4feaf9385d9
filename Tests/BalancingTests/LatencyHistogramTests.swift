// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Balancing

@Suite("A histogram of latencies")
struct LatencyHistogramTests {
  private static let microsecond: UInt64 = 1_000
  private static let second: UInt64 = 1_000_000_000

  @Test("tells a duration within 3%, from 1 µs to 69 s")
  func precision() throws {
    var duration: UInt64 = 1_024
    while duration < 1 << 36 {
      for value in [duration, duration + 1, duration + duration / 3] where value < 1 << 36 {
        var histogram = LatencyHistogram()
        histogram.record(value)
        let told = try #require(histogram.quantile(0.5))
        #expect(told >= value && Double(told - value) <= 0.03125 * Double(value), "\(value) as \(told)")
      }
      duration += max(1, duration / 50)
    }
  }

  @Test("has buckets without a gap or an overlap")
  func buckets() {
    for index in 1..<LatencyHistogram.bucketCount {
      let first = LatencyHistogram.longest(in: index - 1) + 1
      #expect(LatencyHistogram.bucket(of: first) == index)
      #expect(LatencyHistogram.bucket(of: LatencyHistogram.longest(in: index)) == index)
    }
  }

  @Test(
    "counts what is shorter or longer than it tells apart at its ends",
    arguments: [
      (0, 1_023), (1, 1_023), (1_023, 1_023), (1 << 36, 1 << 36 - 1), (.max, 1 << 36 - 1),
    ] as [(UInt64, UInt64)])
  func saturation(value: UInt64, told: UInt64) {
    var histogram = LatencyHistogram()
    histogram.record(value)
    #expect(histogram.quantile(1) == told)
    #expect((histogram.count, histogram.sum) == (1, value))
  }

  @Test("has quantiles by rank, and none while it is empty")
  func quantiles() throws {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == nil && histogram.isEmpty)
    for number in 1...100 { histogram.record(UInt64(number) * 100 * Self.microsecond) }
    for (part, exact) in [(0, 0.1), (0.01, 0.1), (0.5, 5), (0.505, 5.1), (0.99, 9.9), (1, 10), (2, 10)] {
      let told = Double(try #require(histogram.quantile(part))) / 1e6
      #expect(told >= exact && told <= exact * 1.03125, "\(part): \(told) ms")
    }
  }

  @Test("merged with another is the one of both")
  func merge() {
    var generator = SplitMix64(seed: 3)
    var (left, right, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for number in 0..<10_000 {
      let value = UInt64.random(in: 0...UInt64(1) << UInt64.random(in: 0...40, using: &generator), using: &generator)
      if number % 3 == 0 { left.record(value) } else { right.record(value) }
      both.record(value)
    }
    left.merge(right)
    #expect(left == both)
    left.merge(LatencyHistogram())
    #expect(left == both)
    var empty = LatencyHistogram()
    empty.merge(both)
    #expect(empty == both)
  }

  @Test("counts up to bounds; one that divides a bucket leaves the bucket out")
  func bounds() {
    var histogram = LatencyHistogram()
    for value in [500, 2_047, 2_048, 3_000_000, 2 * Self.second] { histogram.record(value) }
    #expect(histogram.counts(upTo: [100, 1_023, 2_046, 2_047, 2_111, 10_000_000, .max]) == [0, 1, 1, 2, 3, 4, 5])
    #expect(LatencyHistogram().counts(upTo: [1, 2]) == [0, 0])
  }

  private static var examples: [LatencyHistogram] {
    var one = LatencyHistogram()
    one.record(0)
    var many = one
    for value in stride(from: UInt64(1), to: Self.second, by: 7_654_321) { many.record(value) }
    many.record(.max - many.sum)
    return [LatencyHistogram(), one, many]
  }

  @Test("comes back as it was, with its empty buckets left out", arguments: examples)
  func coding(histogram: LatencyHistogram) throws {
    var writer = BinaryWriter()
    histogram.encode(into: &writer)
    #expect(writer.bytes.count <= 12 + 10 * Int(histogram.count))
    var reader = BinaryReader(writer.bytes)
    #expect(try LatencyHistogram(from: &reader) == histogram)
    try reader.readEnd()
    for count in writer.bytes.indices {
      var cut = BinaryReader(Array(writer.bytes[..<count]))
      #expect(throws: BinaryCodingError.self) { try LatencyHistogram(from: &cut) }
    }
  }

  @Test(
    "is refused with buckets that cannot be",
    arguments: [
      [(833, 1)], [(65_535, 1)], [(5, 0)], [(5, 1), (5, 1)], [(6, 1), (5, 1)], [(5, .max), (6, 1)], [],
    ] as [[(UInt16, UInt64)]])
  func malformed(entries: [(UInt16, UInt64)]) {
    var writer = BinaryWriter()
    writer.write(UInt64(9))
    writer.write(UInt32(entries.count))
    for (index, count) in entries {
      writer.write(index)
      writer.write(count)
    }
    var reader = BinaryReader(writer.bytes)
    #expect { try LatencyHistogram(from: &reader) } throws: { ($0 as? BinaryCodingError)?.code == .invalidValue }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// All series of one metric, as a scrape has them.
package struct MetricFamily: Hashable, Sendable {
  package struct Label: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package enum Value: Hashable, Sendable {
    case number(Double)
    case histogram(Histogram)
  }

  package struct Series: Hashable, Sendable {
    package var labels: [Label]
    package var value: Value
  }

  package let metric: Metric
  package private(set) var series: [Series] = []

  package init(_ metric: Metric) { self.metric = metric }

  /// No two series of a family may have the same labels: scrapers refuse the whole page.
  package mutating func add(_ labels: [Label], _ value: some BinaryInteger) { add(labels, Double(value)) }
  package mutating func add(_ labels: [Label], _ value: Double) {
    series.append(Series(labels: labels, value: .number(value)))
  }
  package mutating func add(_ labels: [Label], _ histogram: Histogram) {
    series.append(Series(labels: labels, value: .histogram(histogram)))
  }

  package static func one(_ metric: Metric, _ value: some BinaryInteger, _ labels: [Label] = []) -> MetricFamily {
    var family = MetricFamily(metric)
    family.add(labels, value)
    return family
  }
}

/// How many values were at most each of some bounds.
package struct Histogram: Hashable, Sendable {
  package struct Bucket: Hashable, Sendable {
    package var bound: Double
    /// Of all up to the bound, those of smaller buckets included.
    package var count: Double

    package init(bound: Double, count: Double) {
      self.bound = bound
      self.count = count
    }
  }

  /// In ascending order, without the one that has no bound.
  package var buckets: [Bucket]
  package var count: Double
  package var sum: Double

  package init(buckets: [Bucket] = [], count: Double = 0, sum: Double = 0) {
    self.buckets = buckets
    self.count = count
    self.sum = sum
  }
}

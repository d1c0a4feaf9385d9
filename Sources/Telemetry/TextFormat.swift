// SPDX-License-Identifier: Apache-2.0

/// Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
package enum TextFormat {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Families without series are left out.
  package static func bytes(of families: [MetricFamily]) -> [UInt8] {
    var page = Page()
    for family in families where !family.series.isEmpty { page.write(family) }
    return page.bytes
  }

  package static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    // Above 2^53 not every integer is one that a double can hold.
    return value == value.rounded() && value.magnitude <= 9_007_199_254_740_992 ? String(Int64(value)) : "\(value)"
  }

  private struct Page {
    var bytes: [UInt8] = []

    mutating func write(_ family: MetricFamily) {
      let name = family.metric.rawValue
      put("# HELP \(name) \(TextFormat.escaped(family.metric.help, quotes: false))\n")
      put("# TYPE \(name) \(family.metric.kind.rawValue)\n")
      for series in family.series {
        let labels = series.labels.map { "\($0.name)=\"\(TextFormat.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
        switch series.value {
        case .number(let value): line(name, labels, value)
        case .histogram(let histogram): write(histogram, name, labels)
        }
      }
    }

    private mutating func write(_ histogram: Histogram, _ name: String, _ labels: String) {
      let prefix = labels.isEmpty ? "" : labels + ","
      for bucket in histogram.buckets {
        line(name + "_bucket", "\(prefix)le=\"\(TextFormat.number(bucket.bound))\"", bucket.count)
      }
      line(name + "_bucket", prefix + "le=\"+Inf\"", histogram.count)
      line(name + "_sum", labels, histogram.sum)
      line(name + "_count", labels, histogram.count)
    }

    private mutating func line(_ name: String, _ labels: String, _ value: Double) {
      put(name)
      if !labels.isEmpty {
        put("{")
        put(labels)
        put("}")
      }
      put(" ")
      put(TextFormat.number(value))
      put("\n")
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || ($0 == 0x22 && quotes) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

// SPDX-License-Identifier: Apache-2.0

/// What `skep lb top` shows.
package enum LoadTable {
  private static let titles = [
    "NAME", "ADDRESS", "STATE", "ACTIVE", "CONN/S", "IN/S", "OUT/S", "FAIL/S", "RETRY/S", "P50", "P99",
  ]
  /// Columns that are text; the others are numbers, and end on one line.
  private static let textColumns = 3

  package static func lines(_ change: LoadChange) -> [String] {
    guard change.sample.isRelayUp else { return ["skepd \(change.sample.release); the relay does not answer"] }
    guard !change.listeners.isEmpty else { return [summary(change.sample), "No port is published."] }
    let rows = change.listeners.flatMap { listener in [row(listener)] + listener.endpoints.map(row) }
    return [summary(change.sample), ""] + aligned([titles] + rows)
  }

  private static func summary(_ sample: LoadSample) -> String {
    func number(_ metric: Metric) -> String { TextFormat.number(sample.numbers[metric] ?? 0) }
    let threads = sample.numbers[.relayThreads] == 1 ? "1 thread" : "\(number(.relayThreads)) threads"
    return """
      skepd \(sample.release), relay \(sample.relayRelease) up \(Units.time(sample.numbers[.relayUptime] ?? 0)), \(threads); \
      table \(number(.tableGeneration)); \(number(.connections)) of \(number(.connectionLimit)) connections, \
      \(number(.sessions)) of \(number(.sessionLimit)) UDP sessions
      """
  }

  private static func row(_ change: LoadChange.Listener) -> [String] {
    let state = change.listener.isUp ? change.listener.strategy : "closed"
    return [change.key.service, change.key.port, state] + numbers(change.listener.open, change.rates)
      + [Units.rate(change.rates.retries)] + latencies(change.rates)
  }

  private static func row(_ change: LoadChange.Endpoint) -> [String] {
    ["  " + change.endpoint.task, change.endpoint.address, change.endpoint.state]
      + numbers(change.endpoint.open, change.rates) + [""] + latencies(change.rates)
  }

  private static func numbers(_ open: Double, _ rates: LoadChange.Rates) -> [String] {
    [
      TextFormat.number(open), Units.rate(rates.connections), Units.bytes(rates.bytesIn), Units.bytes(rates.bytesOut),
      Units.rate(rates.failures),
    ]
  }

  private static func latencies(_ rates: LoadChange.Rates) -> [String] {
    [rates.median, rates.p99].map { $0.map(Units.latency) ?? "-" }
  }

  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column < textColumns ? row[column] + padding : padding + row[column]
      }
      return cells.joined(separator: "  ")
    }
  }

  /// Takes the place of the frame before it on a terminal of this size; what does not fit is cut off.
  package static func frame(_ lines: [String], columns: Int, rows: Int) -> String {
    let home = "\u{1b}[H"
    let restOfLine = "\u{1b}[K"
    let restOfScreen = "\u{1b}[J"
    return home + lines.prefix(max(1, rows - 1)).map { $0.prefix(columns) + restOfLine + "\n" }.joined() + restOfScreen
  }
}

/// Numbers as people read them, in three or four digits.
enum Units {
  static func rate(_ value: Double) -> String { digits(value) }

  static func bytes(_ value: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var (value, index) = (value, 0)
    while value >= 999.5, index < units.count - 1 {
      value /= 1_000
      index += 1
    }
    return index == 0 ? "\(TextFormat.number(value.rounded())) B" : "\(digits(value)) \(units[index])"
  }

  static func latency(_ seconds: Double) -> String {
    if seconds.isInfinite { return ">1 s" }
    if seconds < 0.000_999_5 { return "\(digits(seconds * 1_000_000)) µs" }
    return seconds < 0.999_5 ? "\(digits(seconds * 1_000)) ms" : "\(digits(seconds)) s"
  }

  static func time(_ seconds: Double) -> String {
    let total = Int(max(0, min(seconds, 1e12)))
    let (days, hours, minutes) = (total / 86_400, total / 3_600 % 24, total / 60 % 60)
    if days > 0 { return "\(days)d \(hours)h" }
    if hours > 0 { return "\(hours)h \(minutes)m" }
    return minutes > 0 ? "\(minutes)m \(total % 60)s" : "\(total)s"
  }

  /// One decimal below 100.
  private static func digits(_ value: Double) -> String {
    guard value < 99.95 else { return TextFormat.number(value.rounded()) }
    let tenths = Int((value * 10).rounded())
    return tenths == 0 ? "0" : "\(tenths / 10).\(tenths % 10)"
  }
}

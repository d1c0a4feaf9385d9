// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The past of two records in one order. The engine's stream tells its past again, without a mark where the present begins: it is
/// asked for the past alone first, and what it then repeats is left out.
package struct EventReplay: Sendable {
  /// How often each line of the engine's past is still to be left out.
  private var told: [[UInt8]: Int] = [:]

  package init() {}

  /// By time, each record in its own order.
  package mutating func merge(engine lines: [[UInt8]], ours: [ClusterEvent]) -> [[UInt8]] {
    var (merged, rest) = ([[UInt8]](), ours[...])
    for line in lines {
      told[line, default: 0] += 1
      // A line without a time stays with the one before it.
      let time = Self.time(of: line) ?? .zero
      while let first = rest.first, first.time <= time { merged.append(rest.removeFirst().json.bytes) }
      merged.append(line)
    }
    return merged + rest.map(\.json.bytes)
  }

  /// Whether this line of the stream was told already. Each counts once.
  package mutating func isRepeated(_ line: [UInt8]) -> Bool {
    guard let count = told[line] else { return false }
    told[line] = count > 1 ? count - 1 : nil
    return true
  }

  private static func time(of line: [UInt8]) -> Timestamp? {
    (try? JSONValue(parsing: line))?["timeNano"]?.intValue.map { Timestamp(nanoseconds: Int64($0)) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import Manager

struct Cost: Codable {
  var seconds: Double
  /// Seconds of processor time, the agents' included.
  var processor: Double
  /// Transactions of the store.
  var transactions: Int
  var agents: Tally.Counts
}

/// What a phase costs.
struct Meter: Sendable {
  let store: Store
  let tally: Tally

  struct Mark {
    let time: ContinuousClock.Instant
    let processor: Double
    let version: UInt64
    let counts: Tally.Counts
  }

  /// From `body` until `holds`, which is asked every 20 ms.
  func time(_ body: () async throws -> Void, until holds: () async -> Bool) async throws -> Cost {
    let begun = await mark()
    try await body()
    try await wait(until: holds)
    return await cost(since: begun)
  }

  func wait(until holds: () async -> Bool) async throws { while await !holds() { try await Task.sleep(for: .milliseconds(20)) } }

  func mark() async -> Mark {
    Mark(
      time: .now, processor: Self.processorTime, version: await store.read(\.version),
      counts: tally.state.withLock { $0.counts })
  }

  func cost(since begun: Mark) async -> Cost {
    let now = await mark()
    return Cost(
      seconds: (now.time - begun.time) / .seconds(1), processor: now.processor - begun.processor,
      transactions: Int(now.version - begun.version), agents: now.counts.since(begun.counts))
  }

  private static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension Tally.Counts {
  func since(_ earlier: Self) -> Self {
    Self(
      sessions: sessions - earlier.sessions, beats: beats - earlier.beats, assignments: assignments - earlier.assignments,
      updates: updates - earlier.updates, tables: tables - earlier.tables, lost: lost - earlier.lost)
  }
}

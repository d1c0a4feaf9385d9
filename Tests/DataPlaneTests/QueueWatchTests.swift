// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import DataPlane

@Suite("A queue of clients without a place")
struct QueueWatchTests {
  /// What is seen look by look, a tenth of the patience apart, and how many are then told to wait no longer.
  struct Case: Sendable {
    let lengths: [Int]
    let taken: [Int]
    let overdue: [Int]
  }

  private static func steady(_ value: Int, _ count: Int) -> [Int] { Array(repeating: value, count: count) }

  private static let cases: [Case] = [
    // Nobody waits.
    Case(lengths: steady(0, 12), taken: steady(0, 12), overdue: steady(0, 12)),
    // Two wait and nobody leaves.
    Case(lengths: steady(2, 12), taken: steady(5, 12), overdue: steady(0, 10) + [2, 2]),
    // One comes after another, and each has a time of its own; the first is told in time.
    Case(
      lengths: steady(1, 4) + steady(2, 7) + steady(1, 5), taken: steady(0, 11) + steady(1, 5),
      overdue: steady(0, 10) + [1, 0, 0, 0, 1, 1]),
    // The first is served in the meantime, and the next waits on.
    Case(lengths: [1, 2, 2] + steady(1, 9), taken: steady(0, 3) + steady(1, 9), overdue: steady(0, 11) + [1]),
    // Served as fast as they come: nobody is ever late.
    Case(lengths: steady(3, 30), taken: Array(stride(from: 0, to: 90, by: 3)), overdue: steady(0, 30)),
  ]

  @Test("is served in time or told, each for itself", arguments: cases)
  func looks(example: Case) {
    var watch = QueueWatch(patience: 1_000)
    var found: [Int] = []
    for (look, length) in example.lengths.enumerated() {
      found.append(watch.look(at: UInt64(look * 100), taken: UInt64(example.taken[look]), length: length))
    }
    #expect(found == example.overdue)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Tells how many clients have waited too long in a queue of which only the length can be seen: the kernel's, of those who have
/// connected and were not accepted.
///
/// The queue is served from its front. So whoever is among the first n to have come, where n is what had come by a moment long
/// enough ago, and was not accepted meanwhile, has waited since then.
struct QueueWatch: Sendable {
  /// Looks in the time that a client may wait: it waits up to one of these longer.
  static let looksPerPatience: UInt64 = 10

  private let patience: UInt64
  /// How many had come by when, over the last `patience`; not more than `looksPerPatience` and a few, as nobody looks more often.
  private var marks: [(at: UInt64, arrived: UInt64)] = []
  private var overdue: UInt64 = 0

  init(patience: UInt64) {
    self.patience = patience
  }

  /// - Parameter taken: how many were accepted so far, on the whole.
  /// - Returns: how many of those in the queue, from its front, shall wait no longer.
  mutating func look(at now: UInt64, taken: UInt64, length: Int) -> Int {
    while let first = marks.first, first.at + patience <= now {
      overdue = first.arrived
      marks.removeFirst()
    }
    marks.append((now, taken + UInt64(max(0, length))))
    return overdue > taken ? Int(overdue - taken) : 0
  }
}

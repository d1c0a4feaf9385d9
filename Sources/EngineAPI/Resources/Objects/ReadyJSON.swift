// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What was made of objects for an answer, kept for the next. It is used only for an object of the same stamp, so the stamp must
/// change with anything that the made value shows.
final class ReadyJSON<Stamp: Sendable & Equatable, Made: Sendable>: Sendable {
  private struct Entry {
    var stamp: Stamp
    var made: Made
  }

  private let entries = Mutex<[String: Entry]>([:])

  var count: Int { entries.withLock { $0.count } }

  /// As it is kept for `stamp`, or made and kept; `nil` when `make` has nothing to make it of.
  func value(_ id: String, _ stamp: Stamp, make: () throws -> Made?) rethrows -> Made? {
    if let made = entries.withLock({ entries in entries[id].flatMap { $0.stamp == stamp ? $0.made : nil } }) { return made }
    // Outside the lock: two answers at once may make it twice.
    guard let made = try make() else { return nil }
    entries.withLock { $0[id] = Entry(stamp: stamp, made: made) }
    return made
  }

  /// Forgets objects that are gone, once more are kept than there are: `count` of them, those that `exists` knows.
  func trim(to count: Int, _ exists: (String) -> Bool) {
    entries.withLock { entries in
      if entries.count > count { entries = entries.filter { exists($0.key) } }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// The services' ids in order, each with the version that last wrote any part of it, status included: what a list needs to know to
/// take everything else from what it has ready.
package struct ServiceIndex: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    package let id: String
    package let writtenAt: UInt64
  }

  package private(set) var entries: [Entry] = []

  package subscript(id: String) -> Entry? {
    let place = place(of: id)
    return place < entries.count && entries[place].id == id ? entries[place] : nil
  }

  mutating func insert(_ entry: Entry) {
    let place = place(of: entry.id)
    if place < entries.count, entries[place].id == entry.id {
      entries[place] = entry
    } else {
      entries.insert(entry, at: place)
    }
  }

  mutating func remove(_ id: String) {
    let place = place(of: id)
    if place < entries.count, entries[place].id == id { entries.remove(at: place) }
  }

  /// Where it is, or would be.
  private func place(of id: String) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Events of a simulation in order of time; those of one moment in the order they were added.
struct EventQueue<Event> {
  private struct Entry {
    var time: Duration
    var order: Int
    var event: Event
    func isBefore(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
  }

  /// A binary heap.
  private var heap: [Entry] = []
  private var added = 0

  var nextTime: Duration? { heap.first?.time }

  mutating func add(_ event: Event, at time: Duration) {
    heap.append(Entry(time: time, order: added, event: event))
    added += 1
    var child = heap.count - 1
    while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (time: Duration, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (first.time, first.event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[smallest]) {
        smallest = child
      }
      if smallest == parent { return }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}

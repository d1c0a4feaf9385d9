// SPDX-License-Identifier: Apache-2.0

/// The last events, for those who ask for the past. The engine keeps as many of its own.
package struct EventRing: Sendable {
  package static let capacity = 256

  private var events: [ClusterEvent] = []
  /// Where the oldest is once the ring is full.
  private var start = 0

  package init() {}

  package mutating func append(_ event: ClusterEvent) {
    if events.count < Self.capacity {
      events.append(event)
    } else {
      events[start] = event
      start = (start + 1) % Self.capacity
    }
  }

  /// In the order they came.
  package func past(in window: EventWindow, _ filter: EventFilter) -> [ClusterEvent] {
    guard window.hasPast else { return [] }
    return (events[start...] + events[..<start]).filter { window.contains($0.time) && filter.includes($0) }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing

// Listeners with limits of their own.
extension ListenerTable {
  /// Which sockets lead to them.
  var limitedSockets: Set<Int> {
    Set(sockets.filter { listener(at: $0.value.listener)?.listener.limits.connections != nil }.keys)
  }

  /// How long connections may carry nothing, in nanoseconds, by the index of their listener.
  var idleLimits: [Int: UInt64] {
    var limits: [Int: UInt64] = [:]
    for (index, listener) in listeners.enumerated() { limits[index] = listener?.listener.limits.idle?.nanoseconds }
    return limits
  }

  private func listener(at index: Int) -> RelayListener? { listeners.indices.contains(index) ? listeners[index] : nil }

  func hasPlace(socket id: Int) -> Bool { sockets[id].flatMap { listener(at: $0.listener) }?.hasPlace ?? true }

  func taken(bySocket id: Int) -> UInt64 { sockets[id]?.taken ?? 0 }

  /// A place for a client that `thread` is about to accept: the index of the listener that holds it, for `admit` or
  /// `giveBackPlace`. When there is none, the thread is told of the next.
  mutating func reserve(socket id: Int, thread: Int) -> Int? {
    guard let listener = listener(ofSocket: id), let hasPlace = listeners[listener]?.hasPlace else { return nil }
    if hasPlace {
      listeners[listener]?.reserved += 1
      return listener
    }
    listeners[listener]?.awaiting.append((thread, id))
    return nil
  }

  mutating func giveBackPlace(_ listener: Int) {
    guard let reserved = self.listener(at: listener)?.reserved, reserved > 0 else { return }
    listeners[listener]?.reserved -= 1
    wakeAwaiting(listener)
  }

  mutating func wakeAwaiting(_ listener: Int) {
    guard listeners[listener]?.awaiting.isEmpty == false, listeners[listener]?.hasPlace == true else { return }
    wakes += listeners[listener]?.awaiting ?? []
    listeners[listener]?.awaiting = []
  }

  /// A client was accepted only to be told that there is no place.
  mutating func turnAway(socket id: Int) {
    sockets[id]?.taken += 1
    refuse(socket: id)
  }

  mutating func takeWakes() -> [(thread: Int, socket: Int)] {
    if wakes.isEmpty { return [] }
    defer { wakes = [] }
    return wakes
  }
}

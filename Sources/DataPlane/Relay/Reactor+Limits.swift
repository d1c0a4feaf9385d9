// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// Clients for whom there is no place: they wait in the kernel's queue, and are told when that was in vain.
extension Reactor {
  /// Listening sockets are level-triggered: one that is not read has to be silent, or the loop spins. The others go on.
  mutating func pause(socket id: Int) {
    guard let socket = sockets[id], !socket.isPaused else { return }
    sockets[id]?.isPaused = true
    if isAccepting { _ = cl_epoll_remove(epoll, socket.descriptor) }
    askToGuard(socket: id)
  }

  /// A place may have come free.
  mutating func resume(socket id: Int) {
    guard let socket = sockets[id], socket.isPaused else { return }
    sockets[id]?.isPaused = false
    if isAccepting { watch(socket: id) }
  }

  /// One thread looks after each queue, whichever thread found it without a place.
  private func guardian(ofSocket id: Int) -> Int { id % shared.orders.count }

  private mutating func askToGuard(socket id: Int) {
    let guardian = guardian(ofSocket: id)
    if guardian == thread { guardQueue(of: id) } else { shared.orders[guardian].post(.guardQueue(id: id)) }
  }

  mutating func guardQueue(of id: Int) {
    guard sockets[id] != nil, guarded[id] == nil, !isDraining else { return }
    guarded[id] = QueueWatch(patience: queuePatience)
    look(afterQueueOf: id)
    nextLook = min(nextLook, now + queuePatience / QueueWatch.looksPerPatience)
  }

  mutating func guardAllQueues() {
    for (id, socket) in sockets where socket.transport == .tcp && guardian(ofSocket: id) == thread { guardQueue(of: id) }
  }

  mutating func lookAfterQueues() {
    guard nextLook <= now else { return }
    for id in Array(guarded.keys) { look(afterQueueOf: id) }
    nextLook = guarded.isEmpty ? .max : now + queuePatience / QueueWatch.looksPerPatience
  }

  private mutating func look(afterQueueOf id: Int) {
    guard let socket = sockets[id], var watch = guarded[id] else { return guarded[id] = nil }
    // In this order: who is accepted between the two is then not taken for one who came.
    let (taken, isFull) = shared.withTable { ($0.taken(bySocket: id), !$0.hasPlace(socket: id)) }
    let length = Int(cl_queue_length(socket.descriptor))
    let overdue = watch.look(at: now, taken: taken, length: length)
    guarded[id] = watch
    guard isFull || !shared.room.hasRoom else {
      if length == 0 { guarded[id] = nil }
      return resume(socket: id)
    }
    for _ in 0..<overdue where !turnAway(oneOf: id, socket.descriptor) { return }
  }

  /// Accepted and reset, the client learns at once that it is not served. False when nobody is there any more.
  private func turnAway(oneOf id: Int, _ descriptor: Int32) -> Bool {
    var address: (high: UInt64, low: UInt64) = (0, 0)
    let client = cl_accept(descriptor, &address.high, &address.low)
    if client >= 0 {
      cl_reset(client)
      shared.withTable { $0.turnAway(socket: id) }
    }
    return client >= 0
  }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How many connections all threads together may have, by number and by the descriptors that are left for them, two each.
///
/// Every load and store is sequentially consistent: a thread that says it waits and then finds no room is seen by whoever makes
/// room later.
final class Room: Sendable {
  private let connectionLimit: Int
  private let descriptorLimit: Int
  private let connections = Atomic<Int>(0)
  private let sessions = Atomic<Int>(0)
  private let sockets = Atomic<Int>(0)
  private let waiting = Atomic<Int>(0)
  private let draining = Atomic<Bool>(false)
  private let drained = Atomic<Int>(0)

  init(connectionLimit: Int, descriptorLimit: Int) {
    self.connectionLimit = connectionLimit
    self.descriptorLimit = descriptorLimit
  }

  var connectionCount: Int { connections.load(ordering: .sequentiallyConsistent) }
  var sessionCount: Int { sessions.load(ordering: .sequentiallyConsistent) }
  /// What takes one descriptor each.
  private var others: Int { sessionCount + sockets.load(ordering: .sequentiallyConsistent) }
  var isEmpty: Bool { connectionCount + sessionCount == 0 }
  var isAwaited: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }
  var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }

  var limit: Int {
    let spare = descriptorLimit - min(64, descriptorLimit / 2) - others
    return min(connectionLimit, spare / 2)
  }

  var hasRoom: Bool { connectionCount < limit }

  /// A place for one more connection; `Shared.connectionEnded` gives it back. False when all are taken.
  func take() -> Bool {
    guard hasRoom else { return false }
    if connections.add(1, ordering: .sequentiallyConsistent).newValue <= limit { return true }
    giveBack()
    return false
  }

  /// For `Shared.connectionEnded` alone, which tells those who wait.
  func giveBack() { connections.subtract(1, ordering: .sequentiallyConsistent) }

  func note(sessions change: Int) { sessions.add(change, ordering: .sequentiallyConsistent) }
  /// Listening sockets, a descriptor each in every thread that holds them.
  func note(sockets change: Int) { sockets.add(change, ordering: .sequentiallyConsistent) }

  /// Half of what there is, so that a flood of datagrams leaves connections their half.
  var sessionLimit: Int { max(1, connectionLimit / 2) }
  var sessionsAreFull: Bool { sessionCount >= sessionLimit }
  var hasDescriptor: Bool { 2 * connectionCount + others + 64 < descriptorLimit }

  func beginWaiting() { waiting.add(1, ordering: .sequentiallyConsistent) }
  func endWaiting() { waiting.subtract(1, ordering: .sequentiallyConsistent) }
  /// How many threads take no more clients. One that was told so may be taking some at that moment.
  var drainedThreads: Int { drained.load(ordering: .sequentiallyConsistent) }
  func noteDrainedThread() { drained.add(1, ordering: .sequentiallyConsistent) }
  func beginDraining() { draining.store(true, ordering: .sequentiallyConsistent) }
}

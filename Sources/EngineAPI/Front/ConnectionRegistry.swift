// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Synchronization

/// Every client connection with what it is doing, so that shutting down can close what is idle and leave answers their time.
final class ConnectionRegistry: Sendable {
  enum Phase {
    case idle
    case answering
    /// A pipe, or an answer of ours that ends with the client.
    case piping
  }

  struct Ticket: Sendable {
    fileprivate let id: Int
  }

  private struct State {
    var entries: [Int: (channel: ByteChannel, phase: Phase)] = [:]
    var nextID = 0
    var isDraining = false
    var drainActions: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let limit: Int
  let bodies: BodyBudget

  init(limit: Int, bodies: BodyBudget) {
    self.limit = limit
    self.bodies = bodies
  }

  var count: Int { state.withLock { $0.entries.count } }
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// nil when the table is full or we are shutting down.
  func add(_ channel: ByteChannel) -> Ticket? {
    state.withLock { state in
      guard state.entries.count < limit, !state.isDraining else { return nil }
      state.nextID += 1
      state.entries[state.nextID] = (channel, .idle)
      return Ticket(id: state.nextID)
    }
  }

  /// False when that phase may no longer begin because we are shutting down.
  func enter(_ phase: Phase, _ ticket: Ticket) -> Bool {
    state.withLock { state in
      if state.isDraining && phase != .answering { return false }
      state.entries[ticket.id]?.phase = phase
      return true
    }
  }

  func remove(_ ticket: Ticket) {
    state.withLock { $0.entries[ticket.id] = nil }
  }

  /// Calls `action` when shutting down begins, or at once when it has begun.
  func onDrain(_ action: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      if !state.isDraining { state.drainActions.append(action) }
      return state.isDraining
    }
    if isLate { action() }
  }

  /// Closes idle connections and pipes now. Answers in progress go on; their connections end after them.
  func drain() {
    let (closing, actions) = state.withLock { state in
      state.isDraining = true
      defer { state.drainActions = [] }
      return (state.entries.values.filter { $0.phase != .answering }.map(\.channel), state.drainActions)
    }
    for action in actions { action() }
    for channel in closing { channel.close() }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing

/// A listener's balancer and counts. Outlives the listener until its last connection is closed.
struct RelayListener {
  /// As the last table had it; one that comes again unchanged costs a comparison.
  var listener: Listener
  var balancer: Balancer
  var inTable = true
  var open = 0
  var total: UInt64 = 0
  var refusals: [RefusalReason: UInt64] = [:]
  var retries: UInt64 = 0
  /// Places taken for clients that are about to be accepted.
  var reserved = 0
  /// Who is told when a place comes free.
  var awaiting: [(thread: Int, socket: Int)] = []
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0

  /// - Parameter elsewhere: connections that replaced relays still have, by endpoint.
  init(_ listener: Listener, elsewhere: [String: Int]) {
    self.listener = listener
    balancer = Balancer(strategy: listener.strategy, endpoints: listener.endpoints)
    balancer.connectionsElsewhere(elsewhere)
  }

  var hasPlace: Bool { listener.limits.connections.map { open + reserved < Int($0) } ?? true }

  mutating func update(_ wanted: Listener) {
    if listener != wanted || !inTable { balancer.update(strategy: wanted.strategy, endpoints: wanted.endpoints) }
    listener = wanted
    inTable = true
  }

  /// No new connections; those open go on.
  mutating func leaveTable() {
    guard inTable else { return }
    inTable = false
    balancer.update(strategy: listener.strategy, endpoints: [])
  }
}

/// A thread's own descriptor of a socket that takes clients. It stays when the port goes from one service to another.
struct ListeningSocket {
  let transport: Transport
  let descriptor: Int32
  /// Its listener has a limit of its own.
  var isLimited = false
  /// There is no place, so nobody is accepted.
  var isPaused = false
  /// False for one that is only kept to answer sessions that end.
  var isRead = true
  /// How many to accept before looking at other events: about as many as came the last time, which saves the call that
  /// finds no more.
  var batch = 1

  static let largestBatch = 64
}

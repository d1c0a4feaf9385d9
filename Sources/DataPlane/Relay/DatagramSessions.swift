// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux

/// Whose datagrams belong together: one client's port, one of this host's addresses, one socket.
struct DatagramFlow: Hashable {
  let socket: Int
  let clientHigh, clientLow, localHigh, localLow: UInt64
  let port: UInt16

  init(_ flow: cl_flow, socket: Int) {
    self.socket = socket
    (clientHigh, clientLow, port) = (flow.client_high, flow.client_low, flow.port)
    (localHigh, localLow) = (flow.local_high, flow.local_low)
  }
}

/// A client of a UDP listener and the endpoint it was given: as long as they speak, they stay together.
struct DatagramSession {
  let flow: cl_flow
  let listener: Int32
  let endpoint: EndpointHandle
  /// Connected to the endpoint; what arrives there is for the client.
  let descriptor: Int32
  /// The id of the socket that the client sent to.
  let socket: Int
  var isAnswered = false
  var lastUsed: UInt64
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0
  // Neighbours in the queue of answered or of unanswered ones, which is in the order of their last use.
  fileprivate var previous: Int32 = -1
  fileprivate var next: Int32 = -1
  fileprivate var isUsed = true

  init(flow: cl_flow, listener: Int, endpoint: EndpointHandle, descriptor: Int32, socket: Int, now: UInt64) {
    self.flow = flow
    self.listener = Int32(listener)
    self.endpoint = endpoint
    self.descriptor = descriptor
    self.socket = socket
    lastUsed = now
  }
}

/// A thread's sessions, by flow and by age. There is a limit for all threads: a flood of made-up clients takes the place of the oldest
/// that nobody has answered, never that of a conversation.
package struct DatagramSessions {
  package struct Timeouts: Sendable {
    /// Conntrack's, so that a session lives no shorter than the way to it: 30 s without an answer,
    package var unanswered: Duration = .seconds(30)
    /// and 180 s with one.
    package var answered: Duration = .seconds(180)
    /// An endpoint that drains waits for a session to be silent this long, since nothing tells the end of one.
    package var draining: Duration = .seconds(2)

    package init() {}
  }

  private var sessions: [DatagramSession] = []
  private var free: [Int32] = []
  private var indexes: [DatagramFlow: Int32] = [:]
  /// Heads and tails of the two queues.
  private var first: (unanswered: Int32, answered: Int32) = (-1, -1)
  private var last: (unanswered: Int32, answered: Int32) = (-1, -1)
  /// When to look for sessions that ended; `.max` while there is none.
  var nextExpiry = UInt64.max

  var count: Int { indexes.count }
  var all: some Sequence<DatagramSession> { sessions.lazy.filter(\.isUsed) }
  var indices: some Sequence<Int> { sessions.indices.lazy.filter { sessions[$0].isUsed } }

  subscript(index: Int) -> DatagramSession? { sessions.indices.contains(index) && sessions[index].isUsed ? sessions[index] : nil }

  func index(of flow: DatagramFlow) -> Int? { indexes[flow].map { Int($0) } }

  /// The one that was silent longest, in either state.
  func oldest(answered: Bool) -> Int? {
    let index = answered ? first.answered : first.unanswered
    return index >= 0 ? Int(index) : nil
  }

  mutating func insert(_ session: DatagramSession) -> Int {
    let index: Int
    if let place = free.popLast() {
      index = Int(place)
      sessions[index] = session
    } else {
      index = sessions.count
      sessions.append(session)
    }
    indexes[DatagramFlow(session.flow, socket: session.socket)] = Int32(index)
    append(index)
    return index
  }

  /// Counts a datagram, and makes the session the youngest of its kind.
  mutating func used(_ index: Int, fromClient: Bool, bytes: Int, at now: UInt64) {
    unlink(index)
    sessions[index].lastUsed = now
    if fromClient { sessions[index].bytesIn += UInt64(bytes) } else { sessions[index].bytesOut += UInt64(bytes) }
    if !fromClient { sessions[index].isAnswered = true }
    append(index)
  }

  mutating func remove(_ index: Int) -> DatagramSession {
    unlink(index)
    let session = sessions[index]
    indexes[DatagramFlow(session.flow, socket: session.socket)] = nil
    sessions[index].isUsed = false
    free.append(Int32(index))
    return session
  }

  private mutating func append(_ index: Int) {
    let isAnswered = sessions[index].isAnswered
    let tail = isAnswered ? last.answered : last.unanswered
    sessions[index].previous = tail
    sessions[index].next = -1
    if tail >= 0 { sessions[Int(tail)].next = Int32(index) } else { setFirst(Int32(index), isAnswered) }
    setLast(Int32(index), isAnswered)
  }

  private mutating func unlink(_ index: Int) {
    let (previous, next, isAnswered) = (sessions[index].previous, sessions[index].next, sessions[index].isAnswered)
    if previous >= 0 { sessions[Int(previous)].next = next } else { setFirst(next, isAnswered) }
    if next >= 0 { sessions[Int(next)].previous = previous } else { setLast(previous, isAnswered) }
  }

  private mutating func setFirst(_ index: Int32, _ isAnswered: Bool) {
    if isAnswered { first.answered = index } else { first.unanswered = index }
  }

  private mutating func setLast(_ index: Int32, _ isAnswered: Bool) {
    if isAnswered { last.answered = index } else { last.unanswered = index }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// UDP: each client's port is a session with one endpoint, until both have been silent.
extension Reactor {
  /// Datagrams of one socket per turn, so that a flood does not keep others waiting.
  private static var datagramsPerTurn: Int { 64 }
  /// How often sessions are looked through for those that ended.
  private static var expiryInterval: UInt64 { 250_000_000 }

  /// What clients say.
  mutating func receive(_ socket: Int) {
    guard let (descriptor, listener) = sockets[socket].map({ ($0.descriptor, $0.listener) }) else { return }
    for _ in 0..<Self.datagramsPerTurn {
      var flow = cl_flow()
      let count = scratch.fill(from: descriptor, telling: &flow)
      if count == -Int(EAGAIN) { return }
      // Errors here are of datagrams sent before, not of this socket.
      if count < 0 { continue }
      guard let index = session(of: flow, socket: socket, listener: listener) else { continue }
      pass(count, to: index)
    }
  }

  /// The client's session, begun if it has none. `nil` when nobody can take it: UDP has no way to say so.
  private mutating func session(of flow: cl_flow, socket: Int, listener: Int) -> Int? {
    if let known = sessions.index(of: DatagramFlow(flow, listener: listener)) { return known }
    let client = ClientAddress(high: flow.client_high, low: flow.client_low)
    guard makeRoom(), let handle = listeners[listener]?.balancer.pick(client: client, using: &random),
      let (address, port) = listeners[listener]?.balancer.destination(handle)
    else {
      listeners[listener]?.refusals.count(.noEndpoint)
      return nil
    }
    let descriptor = cl_connect_datagram(address.bits, port, sources.source(for: client)?.bits ?? 0)
    guard descriptor >= 0 else { return nil }
    let index = sessions.insert(
      DatagramSession(flow: flow, listener: listener, endpoint: handle, descriptor: descriptor, socket: socket, now: now))
    listeners[listener]?.balancer.opened(handle)
    listeners[listener]?.open += 1
    listeners[listener]?.total += 1
    _ = cl_epoll_add(epoll, descriptor, CL_IN, Token.special(.session, index))
    sessions.nextExpiry = min(sessions.nextExpiry, now + Self.expiryInterval)
    return index
  }

  private mutating func makeRoom() -> Bool {
    if let victim = sessions.victim { endSession(victim) }
    return !sessions.isFull && 2 * table.count + sessions.count + sockets.count + 64 < descriptorLimit
  }

  private mutating func pass(_ count: Int, to index: Int) {
    guard let session = sessions[index] else { return }
    let result = scratch.drain(0..<count, to: session.descriptor)
    // The endpoint's host said that nobody listens there; the client's next datagram goes elsewhere.
    if result == -Int(ECONNREFUSED) { return endSession(index, failure: session.isAnswered ? nil : .refused) }
    if result >= 0 { sessions.used(index, fromClient: true, bytes: count, at: now) }
  }

  /// What an endpoint says.
  mutating func answer(_ index: Int) {
    for _ in 0..<Self.datagramsPerTurn {
      guard let session = sessions[index], let socket = sockets[Int(session.socket)] else { return }
      let count = scratch.fill(from: session.descriptor)
      if count == -Int(EAGAIN) { return }
      if count < 0 { return endSession(index, failure: session.isAnswered ? nil : ConnectFailure(errno: Int32(-count))) }
      _ = scratch.drain(count, to: socket.descriptor, along: session.flow)
      sessions.used(index, fromClient: false, bytes: count, at: now)
    }
  }

  /// Looks for sessions that have been silent too long.
  mutating func expireSessions() {
    guard sessions.nextExpiry <= now else { return }
    endSilent(answered: false, after: sessionTimeouts.unanswered.nanoseconds)
    endSilent(answered: true, after: sessionTimeouts.answered.nanoseconds)
    let limit = sessionTimeouts.draining.nanoseconds
    for index in Array(sessions.indices) {
      guard let session = sessions[index], session.lastUsed + limit <= now, isLeaving(session) else { continue }
      endSession(index)
    }
    sessions.nextExpiry = sessions.count == 0 ? .max : now + Self.expiryInterval
  }

  private mutating func endSilent(answered: Bool, after limit: UInt64) {
    while let index = sessions.oldest(answered: answered), let session = sessions[index], session.lastUsed + limit <= now {
      endSession(index)
    }
  }

  private func isLeaving(_ session: DatagramSession) -> Bool {
    drainDeadline != nil || listeners[Int(session.listener)]?.balancer.isLeaving(session.endpoint) != false
  }

  /// An endpoint that left the table is gone, and who spoke with it is better served by another. So is a socket's.
  mutating func endSessionsOfLost() {
    guard sessions.count > 0 else { return }
    for index in Array(sessions.indices) {
      guard let session = sessions[index] else { continue }
      let isKept =
        sockets[Int(session.socket)]?.listener == Int(session.listener)
        && listeners[Int(session.listener)]?.balancer.endpoint(session.endpoint) != nil
      if !isKept { endSession(index) }
    }
  }

  private mutating func endSession(_ index: Int, failure: ConnectFailure? = nil) {
    let session = sessions.remove(index)
    close(session.descriptor)
    let listener = Int(session.listener)
    if listeners[listener]?.balancer.isLeaving(session.endpoint) == true { reportIsDue = true }
    if let failure {
      listeners[listener]?.balancer.failed(session.endpoint, failure)
    } else {
      listeners[listener]?.balancer.closed(session.endpoint, bytesIn: session.bytesIn, bytesOut: session.bytesOut)
    }
    listeners[listener]?.open -= 1
    listeners[listener]?.bytesIn += session.bytesIn
    listeners[listener]?.bytesOut += session.bytesOut
    if listeners[listener]?.inTable == false, listeners[listener]?.open == 0 { listeners[listener] = nil }
  }
}

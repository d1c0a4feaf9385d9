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
    guard let descriptor = sockets[socket]?.descriptor else { return }
    for _ in 0..<Self.datagramsPerTurn {
      var flow = cl_flow()
      let count = scratch.fill(from: descriptor, telling: &flow)
      if count == -Int(EAGAIN) { return }
      // Errors here are of datagrams sent before, not of this socket.
      if count < 0 { continue }
      guard let index = session(of: flow, socket: socket) else { continue }
      pass(count, to: index)
    }
  }

  /// The client's session, begun if it has none. `nil` when nobody can take it: UDP has no way to say so.
  private mutating func session(of flow: cl_flow, socket: Int) -> Int? {
    if let known = sessions.index(of: DatagramFlow(flow, socket: socket)) { return known }
    let client = ClientAddress(high: flow.client_high, low: flow.client_low)
    let hasRoom = makeRoom()
    let admission = shared.withTable { table in
      if hasRoom { return table.admitDatagrams(socket: socket, client: client) }
      table.refuse(socket: socket)
      return nil
    }
    guard let (listener, route) = admission else { return nil }
    let descriptor = cl_connect_datagram(route.address, route.port, route.source)
    guard descriptor >= 0 else {
      settle(listener, route.endpoint, Bytes(), ConnectFailure(errno: -descriptor))
      return nil
    }
    let index = sessions.insert(
      DatagramSession(
        flow: flow, listener: listener, endpoint: route.endpoint, descriptor: descriptor, socket: socket, now: now))
    shared.room.note(sessions: 1)
    _ = cl_epoll_add(epoll, descriptor, CL_IN, Token.special(.session, index))
    sessions.nextExpiry = min(sessions.nextExpiry, now + Self.expiryInterval)
    return index
  }

  private mutating func makeRoom() -> Bool {
    if shared.room.sessionsAreFull, let victim = sessions.oldest(answered: false) { endSession(victim) }
    return !shared.room.sessionsAreFull && shared.room.hasDescriptor
  }

  private mutating func pass(_ count: Int, to index: Int) {
    guard let session = sessions[index] else { return }
    let result = scratch.drain(0..<count, to: session.descriptor)
    // The endpoint's host said that nobody listens there; the client's next datagram goes elsewhere.
    if result == -Int(ECONNREFUSED) { return endSession(index, session.isAnswered ? nil : .refused) }
    if result >= 0 { sessions.used(index, fromClient: true, bytes: count, at: now) }
  }

  /// What an endpoint says.
  mutating func answer(_ index: Int) {
    for _ in 0..<Self.datagramsPerTurn {
      guard let session = sessions[index], let socket = sockets[session.socket] else { return }
      let count = scratch.fill(from: session.descriptor)
      if count == -Int(EAGAIN) { return }
      if count < 0 { return endSession(index, session.isAnswered ? nil : ConnectFailure(errno: Int32(-count))) }
      _ = scratch.drain(count, to: socket.descriptor, along: session.flow)
      sessions.used(index, fromClient: false, bytes: count, at: now)
    }
  }

  /// Looks for sessions that have been silent too long.
  mutating func expireSessions() {
    guard sessions.nextExpiry <= now else { return }
    endSilent(answered: false, after: sessionTimeouts.unanswered.nanoseconds)
    endSilent(answered: true, after: sessionTimeouts.answered.nanoseconds)
    endLeaving(after: sessionTimeouts.draining.nanoseconds)
    sessions.nextExpiry = sessions.count == 0 ? .max : now + Self.expiryInterval
  }

  private mutating func endSilent(answered: Bool, after limit: UInt64) {
    while let index = sessions.oldest(answered: answered), let session = sessions[index], session.lastUsed + limit <= now {
      endSession(index)
    }
  }

  private mutating func endLeaving(after limit: UInt64) {
    let (now, isDraining) = (now, isDraining)
    let silent = sessions.indices.compactMap { index in sessions[index].map { (index, $0) } }
      .filter { $0.1.lastUsed + limit <= now }
    guard !silent.isEmpty else { return }
    let leaving = shared.withTable { table in
      silent.filter { isDraining || table.isLeaving($0.1.endpoint, of: Int($0.1.listener)) }.map(\.0)
    }
    for index in leaving { endSession(index) }
  }

  /// An endpoint that left the table is gone, and who spoke with it is better served by another. So is a socket's.
  mutating func endSessionsOfLost() {
    guard sessions.count > 0 else { return }
    let all = sessions.indices.compactMap { index in sessions[index].map { (index, $0) } }
    let lost = shared.withTable { table in
      all.filter { _, session in
        table.listener(ofSocket: session.socket) != Int(session.listener)
          || table.isGone(session.endpoint, of: Int(session.listener))
      }.map(\.0)
    }
    for index in lost { endSession(index) }
  }

  private mutating func endSession(_ index: Int, _ failure: ConnectFailure? = nil) {
    let session = sessions.remove(index)
    close(session.descriptor)
    settle(Int(session.listener), session.endpoint, Bytes(received: session.bytesIn, sent: session.bytesOut), failure)
    shared.sessionEnded()
  }

  private func settle(_ listener: Int, _ endpoint: EndpointHandle, _ bytes: Bytes, _ failure: ConnectFailure?) {
    shared.withTable {
      $0.settle(
        listener, endpoint: endpoint, thread: nil, bytesIn: bytes.received, bytesOut: bytes.sent, failure: failure)
    }
  }
}

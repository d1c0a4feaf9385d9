// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// Endpoint tables and counts.
extension Reactor {
  /// Makes the table the one in force, between two events. Open connections stay as they are.
  mutating func apply(_ table: EndpointTable, sockets new: [(port: ListenerPort, descriptor: Int32)]) -> ControlMessage.Applied {
    let indexes = updateListeners(table.listeners)
    adoptSockets(new, wanted: Set(table.listeners.map(\.address)))
    let failures = attach(table.listeners, indexes)
    generation = table.generation
    retryLeft()
    endSessionsOfLost()
    reportIsDue = true
    return ControlMessage.Applied(generation: generation, failures: failures)
  }

  /// The index of each listener, in the table's order.
  private mutating func updateListeners(_ wanted: [Listener]) -> [Int] {
    var known: [String: Int] = [:]
    for index in listeners.indices {
      if let id = listeners[index]?.listener.id { known[id] = index }
    }
    let ids = Set(wanted.map(\.id))
    for (id, index) in known where !ids.contains(id) {
      listeners[index]?.leaveTable()
      if listeners[index]?.open == 0 { listeners[index] = nil }
    }
    return wanted.map { update($0, at: known[$0.id]) }
  }

  private mutating func update(_ wanted: Listener, at known: Int?) -> Int {
    if let known {
      listeners[known]?.update(wanted)
      return known
    }
    guard let free = listeners.firstIndex(where: { $0 == nil }) else {
      listeners.append(RelayListener(wanted))
      return listeners.count - 1
    }
    listeners[free] = RelayListener(wanted)
    return free
  }

  private mutating func adoptSockets(_ new: [(port: ListenerPort, descriptor: Int32)], wanted: Set<ListenerPort>) {
    for index in sockets.indices {
      if let socket = sockets[index], !wanted.contains(socket.port) { closeListener(index, forGood: true) }
    }
    for (port, descriptor) in new {
      let isNew = wanted.contains(port) && !sockets.contains { $0?.port == port } && drainDeadline == nil
      guard isNew, port.transport.isServed(by: descriptor), adopt(port, descriptor) else {
        close(descriptor)
        continue
      }
    }
  }

  private mutating func adopt(_ port: ListenerPort, _ descriptor: Int32) -> Bool {
    let index = sockets.firstIndex { $0 == nil } ?? sockets.count
    let events = isAccepting || port.transport == .udp ? CL_IN : 0
    guard cl_epoll_add(epoll, descriptor, events, Token.special(.listener, index)) == 0 else { return false }
    let socket = ListeningSocket(port: port, descriptor: descriptor, listener: -1)
    if index == sockets.count { sockets.append(socket) } else { sockets[index] = socket }
    return true
  }

  /// Points each socket at its listener; the listeners that have none are the failures.
  private mutating func attach(_ wanted: [Listener], _ indexes: [Int]) -> [String: Int32] {
    var failures: [String: Int32] = [:]
    for (listener, index) in zip(wanted, indexes) {
      if let socket = sockets.firstIndex(where: { $0?.port == listener.address }) {
        sockets[socket]?.listener = index
      } else {
        failures[listener.id] = ENOTSOCK
      }
    }
    return failures
  }

  /// For good, nobody can connect any more, whoever else holds the socket; else its other holders go on queueing clients.
  mutating func closeListener(_ index: Int, forGood: Bool) {
    guard let socket = sockets[index] else { return }
    // Other processes hold it too, so closing would not take it out of epoll.
    _ = cl_epoll_remove(epoll, socket.descriptor)
    // Those who wait for an answer still get it.
    if !forGood, socket.port.transport == .udp {
      sockets[index]?.isRead = false
      return
    }
    if forGood { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }
    close(socket.descriptor)
    sockets[index] = nil
  }

  /// Who waits for an endpoint that is gone need not wait for its timeout.
  private mutating func retryLeft() {
    var index = firstConnecting
    var left: [Int] = []
    while index >= 0 {
      let connection = table[Int(index)]
      if let handle = connection.endpoint, listeners[Int(connection.listener)]?.balancer.endpoint(handle) == nil {
        left.append(Int(index))
      }
      index = connection.next
    }
    for index in left { tryAnotherEndpoint(index, .withdrawn) }
  }

  func drainingConnections() -> [String: UInt32] {
    var counts: [String: UInt32] = [:]
    for case let listener? in listeners {
      for (handle, load) in listener.balancer.loads where listener.balancer.isLeaving(handle) {
        counts[load.endpoint.id, default: 0] += UInt32(load.open)
      }
    }
    return counts
  }

  func openConnections(of endpoints: [String]) -> [String: UInt32] {
    var counts = Dictionary(endpoints.map { ($0, UInt32(0)) }, uniquingKeysWith: { first, _ in first })
    for case let listener? in listeners {
      for (_, load) in listener.balancer.loads where counts[load.endpoint.id] != nil {
        counts[load.endpoint.id, default: 0] += UInt32(load.open)
      }
    }
    return counts
  }

  /// Bytes are added up when a connection ends; those of open ones are added here, so that events need not.
  func counters() -> RelayReport {
    var live: [Int: [EndpointHandle: (in: UInt64, out: UInt64)]] = [:]
    for index in table.indices where table[index].phase == .open {
      guard let handle = table[index].endpoint else { continue }
      live[Int(table[index].listener), default: [:]][handle, default: (0, 0)].in += table[index].bytesIn
      live[Int(table[index].listener), default: [:]][handle, default: (0, 0)].out += table[index].bytesOut
    }
    for session in sessions.all {
      live[Int(session.listener), default: [:]][session.endpoint, default: (0, 0)].in += session.bytesIn
      live[Int(session.listener), default: [:]][session.endpoint, default: (0, 0)].out += session.bytesOut
    }
    return RelayReport(
      release: Relay.release, uptime: cl_monotonic_nanoseconds() - started, generation: generation,
      connections: UInt32(table.count), connectionLimit: UInt32(connectionLimit), sessions: UInt32(sessions.count),
      sessionLimit: UInt32(sessions.capacity),
      listeners: listeners.indices.compactMap { index in listeners[index].map { $0.counters(live: live[index] ?? [:]) } })
  }
}

extension RelayListener {
  fileprivate func counters(live: [EndpointHandle: (in: UInt64, out: UInt64)]) -> ListenerCounters {
    let endpoints = balancer.loads.map { handle, load in
      ListenerCounters.Endpoint(
        id: load.endpoint.id, address: load.endpoint.address, port: load.endpoint.port, state: load.state,
        open: UInt32(load.open), total: load.tally.total, failuresByKind: load.tally.failures,
        bytesIn: load.tally.bytesIn + (live[handle]?.in ?? 0), bytesOut: load.tally.bytesOut + (live[handle]?.out ?? 0),
        latency: load.tally.latency)
    }
    return ListenerCounters(
      id: listener.id, port: listener.address, strategy: listener.strategy, inTable: inTable, open: UInt32(open), total: total,
      refusals: refusals, retries: retries, bytesIn: live.values.reduce(bytesIn) { $0 + $1.in },
      bytesOut: live.values.reduce(bytesOut) { $0 + $1.out }, latency: balancer.tally.latency, endpoints: endpoints)
  }
}

extension Balancer.Load {
  fileprivate var state: ListenerCounters.Endpoint.State {
    if !inTable { return .gone }
    return endpoint.state == .draining ? .draining : .ready
  }
}

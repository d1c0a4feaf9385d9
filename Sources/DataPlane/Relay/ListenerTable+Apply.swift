// SPDX-License-Identifier: Apache-2.0

import Balancing
import Glibc

// Endpoint tables and counts.
extension ListenerTable {
  /// What an endpoint table changed: sockets by their ids.
  struct Changes {
    var closed: [Int] = []
    /// Of the new sockets, those that the table wants.
    var opened: [(id: Int, offer: Int)] = []
    /// Listeners that have no socket.
    var failures: [String: Int32] = [:]
  }

  /// Makes the table the one in force, between two choices. Open connections stay as they are.
  ///
  /// - Parameter offered: the ports of new sockets.
  mutating func apply(_ table: EndpointTable, offered: [ListenerPort]) -> Changes {
    let indexes = updateListeners(table.listeners)
    var changes = updateSockets(Set(table.listeners.map(\.address)), offered)
    changes.failures = attach(table.listeners, indexes)
    generation = table.generation
    makeReportDue()
    return changes
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
      listeners.append(RelayListener(wanted, elsewhere: inherited[wanted.id] ?? [:]))
      return listeners.count - 1
    }
    listeners[free] = RelayListener(wanted, elsewhere: inherited[wanted.id] ?? [:])
    return free
  }

  private mutating func updateSockets(_ wanted: Set<ListenerPort>, _ offered: [ListenerPort]) -> Changes {
    var changes = Changes()
    for (id, socket) in sockets where !wanted.contains(socket.port) {
      sockets[id] = nil
      changes.closed.append(id)
    }
    var present = Set(sockets.values.map(\.port))
    for (offer, port) in offered.enumerated() where wanted.contains(port) && present.insert(port).inserted {
      sockets[nextSocket] = TakingSocket(port: port)
      changes.opened.append((nextSocket, offer))
      nextSocket += 1
    }
    return changes
  }

  /// Points each socket at its listener; the listeners that have none are the failures.
  private mutating func attach(_ wanted: [Listener], _ indexes: [Int]) -> [String: Int32] {
    let ids = Dictionary(sockets.map { ($0.value.port, $0.key) }) { first, _ in first }
    var failures: [String: Int32] = [:]
    for (listener, index) in zip(wanted, indexes) {
      if let id = ids[listener.address] {
        sockets[id]?.listener = index
      } else {
        failures[listener.id] = ENOTSOCK
      }
    }
    return failures
  }

  /// Bytes are added up when a connection ends; those of open ones, which the threads know, are added here.
  func counters(adding live: LiveBytes) -> [ListenerCounters] {
    listeners.indices.compactMap { index in listeners[index].map { $0.counters(live: live[index] ?? [:]) } }
  }
}

/// What open connections have carried, by listener and endpoint.
typealias LiveBytes = [Int: [EndpointHandle: Bytes]]

struct Bytes: Sendable {
  var received: UInt64 = 0
  var sent: UInt64 = 0

  static func + (left: Bytes, right: Bytes) -> Bytes {
    Bytes(received: left.received + right.received, sent: left.sent + right.sent)
  }
}

extension LiveBytes {
  mutating func add(_ other: LiveBytes) {
    for (listener, endpoints) in other { self[listener, default: [:]].merge(endpoints, uniquingKeysWith: +) }
  }
}

extension RelayListener {
  fileprivate func counters(live: [EndpointHandle: Bytes]) -> ListenerCounters {
    let endpoints = balancer.loads.map { handle, load in
      ListenerCounters.Endpoint(
        id: load.endpoint.id, address: load.endpoint.address, port: load.endpoint.port, state: load.state,
        open: UInt32(load.open), total: load.tally.total, failuresByKind: load.tally.failures,
        bytesIn: load.tally.bytesIn + (live[handle]?.received ?? 0), bytesOut: load.tally.bytesOut + (live[handle]?.sent ?? 0),
        latency: load.tally.latency)
    }
    return ListenerCounters(
      id: listener.id, port: listener.address, strategy: listener.strategy, inTable: inTable, open: UInt32(open), total: total,
      refusals: refusals, retries: retries, bytesIn: live.values.reduce(bytesIn) { $0 + $1.received },
      bytesOut: live.values.reduce(bytesOut) { $0 + $1.sent }, latency: balancer.tally.latency, endpoints: endpoints)
  }
}

extension Balancer.Load {
  fileprivate var state: ListenerCounters.Endpoint.State {
    if !inTable { return .gone }
    return endpoint.state == .draining ? .draining : .ready
  }
}

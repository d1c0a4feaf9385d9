// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// What the controller says, and what other threads hand over.
extension Reactor {
  mutating func obeyOrders() {
    for order in shared.orders[thread].takeAll() { obey(order) }
  }

  private mutating func obey(_ order: ReactorOrder) {
    switch order {
    case .open(let id, let port, let descriptor): open(socket: id, port, descriptor)
    case .close(let id): close(socket: id)
    case .arrival(let arrival): carry(arrival)
    case .tableChanged:
      retryLeft()
      endSessionsOfLost()
      updateLimits()
    case .collect(let ticket, let bytes): shared.notices.post(.collected(ticket: ticket, bytes ? liveBytes() : [:]))
    case .roomAgain: break
    case .placeAgain(let id): resume(socket: id)
    case .guardQueue(let id): guardQueue(of: id)
    case .guardAllQueues: guardAllQueues()
    case .drain: drain()
    case .park: pause = .parked
    case .stop: pause = .stopped
    }
  }

  private mutating func open(socket id: Int, _ port: ListenerPort, _ descriptor: Int32) {
    sockets[id] = ListeningSocket(transport: port.transport, descriptor: descriptor)
    sockets[id]?.isLimited = shared.withTable { $0.limitedSockets.contains(id) }
    if port.transport == .udp || isAccepting { watch(socket: id) }
  }

  private mutating func close(socket id: Int) {
    guard let socket = sockets.removeValue(forKey: id) else { return }
    // Others hold it too, so closing would not take it out of epoll.
    _ = cl_epoll_remove(epoll, socket.descriptor)
    Glibc.close(socket.descriptor)
    shared.room.note(sockets: -1)
  }

  /// Clients go on queueing at the sockets' other holders. Those who wait for an answer still get it.
  private mutating func drain() {
    isDraining = true
    guarded = [:]
    for (id, socket) in sockets {
      if socket.transport == .udp {
        _ = cl_epoll_remove(epoll, socket.descriptor)
        sockets[id]?.isRead = false
      } else {
        close(socket: id)
      }
    }
    if sessions.count > 0 { sessions.nextExpiry = 0 }
    shared.threadDrained()
  }

  /// The table in force may have other limits, and other listeners behind the sockets.
  private mutating func updateLimits() {
    let limited = shared.withTable(\.limitedSockets)
    for id in Array(sockets.keys) {
      sockets[id]?.isLimited = limited.contains(id)
      resume(socket: id)
    }
    updateIdleLimits()
  }

  func watch(socket id: Int) {
    guard let socket = sockets[id], !socket.isPaused else { return }
    // One thread wakes for a client, not all of them.
    let isAlone = shared.orders.count == 1 || socket.transport == .udp
    _ = cl_epoll_add(epoll, socket.descriptor, isAlone ? CL_IN : CL_READ | CL_EXCLUSIVE, Token.special(.listener, id))
  }

  /// Who waits for an endpoint that is gone need not wait for its timeout. One that has accepted, and was not noticed yet, is kept.
  private mutating func retryLeft() {
    guard firstConnecting >= 0 else { return }
    var waiting: [(index: Int, listener: Int, endpoint: EndpointHandle)] = []
    var index = firstConnecting
    while index >= 0 {
      let connection = table[Int(index)]
      if let endpoint = connection.endpoint { waiting.append((Int(index), Int(connection.listener), endpoint)) }
      index = connection.next
    }
    let left = shared.withTable { table in waiting.filter { table.isGone($0.endpoint, of: $0.listener) }.map(\.index) }
    for index in left where cl_is_connecting(table[side: 2 * index + 1].descriptor) != 0 { tryAnotherEndpoint(index, .withdrawn) }
  }

  private func liveBytes() -> LiveBytes {
    var live: LiveBytes = [:]
    for index in table.indices where table[index].phase == .open {
      guard let handle = table[index].endpoint else { continue }
      live[Int(table[index].listener), default: [:]][handle, default: Bytes()].received += table[index].bytesIn
      live[Int(table[index].listener), default: [:]][handle, default: Bytes()].sent += table[index].bytesOut
    }
    for session in sessions.all {
      live[Int(session.listener), default: [:]][session.endpoint, default: Bytes()].received += session.bytesIn
      live[Int(session.listener), default: [:]][session.endpoint, default: Bytes()].sent += session.bytesOut
    }
    return live
  }
}

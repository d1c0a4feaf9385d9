// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// From the accept queue to an endpoint that has accepted, or to a reset.
extension Reactor {
  mutating func take(_ id: Int) {
    guard let socket = sockets[id], socket.isRead else { return }
    switch socket.transport {
    case .tcp: accept(id)
    case .udp: receive(id)
    }
  }

  private mutating func accept(_ id: Int) {
    guard isAccepting, let socket = sockets[id] else { return }
    var accepted = 0
    while accepted < socket.batch {
      guard shared.room.take() else { return pauseAccepting(retryAfter: nil) }
      let reserved = socket.isLimited ? reserve(socket: id) : nil
      if socket.isLimited, reserved == nil {
        shared.connectionEnded()
        return pause(socket: id)
      }
      var address: (high: UInt64, low: UInt64) = (0, 0)
      let descriptor = cl_accept(socket.descriptor, &address.high, &address.low)
      if descriptor >= 0 {
        admit(descriptor, socket: id, client: ClientAddress(high: address.high, low: address.low), reserved: reserved)
      } else {
        if let reserved { shared.withTable { $0.giveBackPlace(reserved) } }
        shared.connectionEnded()
        if !shouldAcceptMore(afterFailure: -descriptor) { break }
      }
      accepted += 1
    }
    let full = accepted == socket.batch
    sockets[id]?.batch = full ? min(2 * accepted, ListeningSocket.largestBatch) : max(1, accepted)
  }

  private func reserve(socket id: Int) -> Int? {
    let thread = self.thread
    return shared.withTable { $0.reserve(socket: id, thread: thread) }
  }

  private mutating func shouldAcceptMore(afterFailure number: Int32) -> Bool {
    switch number {
    // Closed for good by the controller, whose order to forget it is on its way.
    case EAGAIN, EINVAL: return false
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      pauseAccepting(retryAfter: 100_000_000)
      return false
    // The client is gone already, or its network is: accept(2) hands out errors of the connection itself.
    default: return true
    }
  }

  // Listening sockets are level-triggered: one that is not read has to be silent, or the loop spins.
  private mutating func pauseAccepting(retryAfter nanoseconds: UInt64?) {
    guard isAccepting else { return }
    isAccepting = false
    shared.room.beginWaiting()
    if let nanoseconds { acceptAgainAt = now + nanoseconds }
    for (_, socket) in sockets where socket.transport == .tcp {
      if !socket.isPaused { _ = cl_epoll_remove(epoll, socket.descriptor) }
    }
    shared.tellAll(.guardAllQueues)
  }

  mutating func acceptAgainIfPossible() {
    guard !isAccepting, shared.room.hasRoom, acceptAgainAt == .max || acceptAgainAt <= now else { return }
    isAccepting = true
    acceptAgainAt = .max
    shared.room.endWaiting()
    for (id, socket) in sockets where socket.transport == .tcp { watch(socket: id) }
  }

  private mutating func admit(_ descriptor: Int32, socket id: Int, client: ClientAddress, reserved: Int?) {
    let thread = self.thread
    guard let admission = shared.withTable({ $0.admit(socket: id, client: client, thread: thread, reserved: reserved) }) else {
      cl_reset(descriptor)
      return shared.connectionEnded()
    }
    let arrival = Arrival(descriptor: descriptor, client: client, admission: admission)
    if admission.thread == thread { carry(arrival) } else { shared.orders[admission.thread].post(.arrival(arrival)) }
  }

  /// Takes up a client for whom an endpoint is chosen.
  mutating func carry(_ arrival: Arrival) {
    let admission = arrival.admission
    guard let index = table.allocate() else {
      cl_reset(arrival.descriptor)
      let thread = self.thread
      shared.withTable {
        $0.settle(
          admission.listener, endpoint: admission.route?.endpoint, thread: thread, bytesIn: 0, bytesOut: 0,
          failure: admission.route == nil ? nil : .other)
      }
      return shared.connectionEnded()
    }
    table[index].listener = Int32(admission.listener)
    table[index].client = arrival.client
    table[side: 2 * index].descriptor = arrival.descriptor
    // Inherited from the listening socket.
    table[side: 2 * index].flags = .prompt
    sweepLater()
    follow(admission.route, index)
  }

  /// Connects to the endpoint of `route`, or of the next one if that fails at once; resets the client when there is none left.
  private mutating func follow(_ first: ListenerTable.Route?, _ index: Int) {
    var next = first
    while let route = next {
      table[index].endpoint = route.endpoint
      // Not the turn's time: how long the endpoint takes is measured from here.
      table[index].deadline = cl_monotonic_nanoseconds() + connectTimeout
      let descriptor = cl_connect(route.address, route.port, route.source)
      if descriptor >= 0, watchConnecting(index, descriptor) { return }
      next = routeAfterFailure(index, descriptor < 0 ? ConnectFailure(errno: -descriptor) : .other)
    }
    end(index, reset: true)
  }

  private mutating func watchConnecting(_ index: Int, _ descriptor: Int32) -> Bool {
    let side = 2 * index + 1
    table[side: side].descriptor = descriptor
    table[side: side].flags = .tellsWritable
    let token = Token.side(side, generation: table[index].generation)
    guard cl_epoll_add(epoll, descriptor, CL_IN | CL_OUT | CL_EDGE, token) == 0 else { return false }
    appendConnecting(index)
    return true
  }

  /// The endpoint's socket told something while we waited for it to accept.
  mutating func connectEvent(_ index: Int, _ flags: UInt32) {
    if flags & (CL_ERROR | CL_HANGUP) != 0 {
      return tryAnotherEndpoint(index, ConnectFailure(of: table[side: 2 * index + 1].descriptor))
    }
    guard flags & CL_OUT != 0 else { return }
    noteAccepted(index)
    removeConnecting(index)
    if table[index].attempts > 0 { tried[index] = nil }
    table[index].phase = .open
    open(index, flags)
  }

  private func noteAccepted(_ index: Int) {
    guard let endpoint = table[index].endpoint else { return }
    let (listener, called, now) = (Int(table[index].listener), table[index].deadline - connectTimeout, now)
    shared.withTable { $0.accepted(listener, endpoint: endpoint, after: now > called ? now - called : 0) }
  }

  /// Nothing was read from the client yet, so it does not notice.
  mutating func tryAnotherEndpoint(_ index: Int, _ reason: ConnectFailure) {
    removeConnecting(index)
    follow(routeAfterFailure(index, reason), index)
  }

  private mutating func routeAfterFailure(_ index: Int, _ reason: ConnectFailure) -> ListenerTable.Route? {
    let side = 2 * index + 1
    if table[side: side].descriptor >= 0 { close(table[side: side].descriptor) }
    table[side: side] = Side()
    // A late event of the closed socket must not meet the next one's.
    table[index].generation = table[index].generation &+ 1 == 0 ? 1 : table[index].generation &+ 1
    guard let failed = table[index].endpoint else { return nil }
    table[index].endpoint = nil
    table[index].attempts = min(table[index].attempts, .max - 1) + 1
    tried[index, default: []].append(failed)
    let (listener, client, tried) = (Int(table[index].listener), table[index].client, tried[index] ?? [])
    return shared.withTable { $0.retry(listener, client: client, failed: failed, reason, tried: tried) }
  }

  mutating func expireConnecting() {
    while firstConnecting >= 0, table[Int(firstConnecting)].deadline <= now {
      tryAnotherEndpoint(Int(firstConnecting), .timedOut)
    }
  }

  private mutating func appendConnecting(_ index: Int) {
    table[index].previous = lastConnecting
    table[index].next = -1
    if lastConnecting >= 0 { table[Int(lastConnecting)].next = Int32(index) } else { firstConnecting = Int32(index) }
    lastConnecting = Int32(index)
  }

  private mutating func removeConnecting(_ index: Int) {
    let (previous, next) = (table[index].previous, table[index].next)
    if previous >= 0 { table[Int(previous)].next = next } else { firstConnecting = next }
    if next >= 0 { table[Int(next)].previous = previous } else { lastConnecting = previous }
  }
}

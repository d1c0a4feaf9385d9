// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// From the accept queue to an endpoint that has accepted, or to a reset.
extension Reactor {
  mutating func take(_ index: Int) {
    guard index < sockets.count, let socket = sockets[index], socket.isRead else { return }
    switch socket.port.transport {
    case .tcp: accept(index)
    case .udp: receive(index)
    }
  }

  private mutating func accept(_ index: Int) {
    guard isAccepting, index < sockets.count, let socket = sockets[index] else { return }
    var accepted = 0
    while accepted < socket.batch {
      guard hasRoom else { return pauseAccepting(retryAfter: nil) }
      var address: (high: UInt64, low: UInt64) = (0, 0)
      let descriptor = cl_accept(socket.descriptor, &address.high, &address.low)
      if descriptor >= 0 {
        begin(descriptor, listener: socket.listener, client: ClientAddress(high: address.high, low: address.low))
      } else if !shouldAcceptMore(afterFailure: -descriptor) {
        break
      }
      accepted += 1
    }
    let full = accepted == socket.batch
    sockets[index]?.batch = full ? min(2 * accepted, ListeningSocket.largestBatch) : max(1, accepted)
  }

  private mutating func shouldAcceptMore(afterFailure number: Int32) -> Bool {
    switch number {
    case EAGAIN: return false
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      pauseAccepting(retryAfter: 100_000_000)
      return false
    // The client is gone already, or its network is: accept(2) hands out errors of the connection itself.
    default: return true
    }
  }

  private var hasRoom: Bool {
    table.count < connectionLimit
      && table.count < (descriptorLimit - sockets.count - sessions.count - min(64, descriptorLimit / 2)) / 2
  }

  // Listening sockets are level-triggered: one that is not read has to be silent, or the loop spins.
  private mutating func pauseAccepting(retryAfter nanoseconds: UInt64?) {
    isAccepting = false
    if let nanoseconds { acceptAgainAt = now + nanoseconds }
    for index in sockets.indices { armListener(index) }
  }

  mutating func acceptAgainIfPossible() {
    guard !isAccepting, hasRoom, acceptAgainAt == .max || acceptAgainAt <= now else { return }
    isAccepting = true
    acceptAgainAt = .max
    for index in sockets.indices { armListener(index) }
  }

  func armListener(_ index: Int) {
    guard let socket = sockets[index], socket.port.transport == .tcp else { return }
    _ = cl_epoll_modify(epoll, socket.descriptor, isAccepting ? CL_IN : 0, Token.special(.listener, index))
  }

  private mutating func begin(_ descriptor: Int32, listener: Int, client: ClientAddress) {
    guard listeners[listener] != nil, let index = table.allocate() else { return cl_reset(descriptor) }
    table[index].listener = Int32(listener)
    table[index].client = client
    table[side: 2 * index].descriptor = descriptor
    listeners[listener]?.open += 1
    listeners[listener]?.total += 1
    tryNextEndpoint(index)
  }

  private mutating func tryNextEndpoint(_ index: Int) {
    let listener = Int(table[index].listener)
    let source = sources.source(for: table[index].client)?.bits ?? 0
    while let handle = pick(for: index, listener: listener),
      let (address, port) = listeners[listener]?.balancer.destination(handle)
    {
      listeners[listener]?.balancer.opened(handle)
      if table[index].attempts > 0 { listeners[listener]?.retries += 1 }
      table[index].endpoint = handle
      let descriptor = cl_connect(address.bits, port, source)
      if descriptor >= 0, watchConnecting(index, descriptor) { return }
      giveUpEndpoint(index, descriptor < 0 ? ConnectFailure(errno: -descriptor) : .other)
    }
    listeners[listener]?.refusals.count(.noEndpoint)
    end(index, reset: true)
  }

  private mutating func pick(for index: Int, listener: Int) -> EndpointHandle? {
    let failed = table[index].attempts == 0 ? [] : tried[index] ?? []
    return listeners[listener]?.balancer.pick(client: table[index].client, excluding: failed, using: &random)
  }

  private mutating func watchConnecting(_ index: Int, _ descriptor: Int32) -> Bool {
    let side = 2 * index + 1
    table[side: side].descriptor = descriptor
    table[side: side].flags = .tellsWritable
    table[index].deadline = cl_monotonic_nanoseconds() + connectTimeout
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
    if let handle = table[index].endpoint {
      listeners[Int(table[index].listener)]?.balancer.accepted(handle, after: now &- (table[index].deadline &- connectTimeout))
    }
    removeConnecting(index)
    if table[index].attempts > 0 { tried[index] = nil }
    table[index].phase = .open
    open(index, flags)
  }

  /// Nothing was read from the client yet, so it does not notice.
  mutating func tryAnotherEndpoint(_ index: Int, _ reason: ConnectFailure) {
    removeConnecting(index)
    giveUpEndpoint(index, reason)
    tryNextEndpoint(index)
  }

  private mutating func giveUpEndpoint(_ index: Int, _ reason: ConnectFailure) {
    let side = 2 * index + 1
    if table[side: side].descriptor >= 0 { close(table[side: side].descriptor) }
    table[side: side] = Side()
    // A late event of the closed socket must not meet the next one's.
    table[index].generation = table[index].generation &+ 1 == 0 ? 1 : table[index].generation &+ 1
    guard let handle = table[index].endpoint else { return }
    let listener = Int(table[index].listener)
    if listeners[listener]?.balancer.isLeaving(handle) == true { reportIsDue = true }
    listeners[listener]?.balancer.failed(handle, reason)
    table[index].endpoint = nil
    table[index].attempts = min(table[index].attempts, .max - 1) + 1
    tried[index, default: []].append(handle)
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

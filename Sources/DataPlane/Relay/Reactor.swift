// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// The event loop of one thread that carries traffic: a value owned by that thread, with all state in place.
///
/// Its parts: listening and connecting in `Reactor+Accept`, moving bytes in `Reactor+Forward`
/// and `Reactor+Stream`, UDP in `Reactor+Datagrams`, the
/// controller's orders in `Reactor+Orders`. Which endpoint a client gets is chosen from what it shares with the other threads.
struct Reactor: ~Copyable {
  /// Why `run` returned.
  enum Pause {
    /// It goes on with the next `run`.
    case parked
    case stopped
  }

  let thread: Int
  let shared: Shared
  let epoll: Int32
  let connectTimeout: UInt64

  var table: ConnectionTable
  var pool = BlockPool()
  /// Where reads go first. A short write makes it the side's pending block, and another takes its place.
  var scratch: Block
  var passage = Passage()
  private let events = EventBuffer()

  var sessions: DatagramSessions
  let sessionTimeouts: DatagramSessions.Timeouts

  /// By the ids of the shared table.
  var sockets: [Int: ListeningSocket] = [:]

  /// Monotonic nanoseconds, read once per turn.
  var now = cl_monotonic_nanoseconds()
  var firstConnecting: Int32 = -1
  var lastConnecting: Int32 = -1
  /// Endpoints that failed a connection which is still looking for one. Most never get an entry.
  var tried: [Int: [EndpointHandle]] = [:]
  /// Sides that used up their share of a turn and have more.
  var again: [UInt64] = []
  var isAccepting = true
  var acceptAgainAt = UInt64.max
  var isDraining = false
  var pause: Pause?

  init(thread: Int, shared: Shared, _ configuration: Relay.Configuration, connectionLimit: Int) throws(DataPlaneError) {
    // What can fail comes before the first property, so that there is nothing half made to take down.
    let connectionTable = try ConnectionTable(capacity: connectionLimit)
    let epoll = cl_epoll_create()
    guard epoll >= 0 else { throw .system("epoll", epoll) }
    self.thread = thread
    self.shared = shared
    self.epoll = epoll
    table = connectionTable
    sessions = DatagramSessions()
    sessionTimeouts = configuration.sessionTimeouts
    connectTimeout = configuration.connectTimeout.nanoseconds
    scratch = pool.take()
    _ = cl_epoll_add(epoll, shared.orders[thread].descriptor, CL_IN, Token.special(.inbox))
  }

  deinit {
    closeAll()
    close(epoll)
  }

  /// Every descriptor but the loop's own, at once: for the end, when nothing is waited for any more.
  private func closeAll() {
    for index in table.indices where table[index].phase != .free {
      close(table[side: 2 * index].descriptor)
      close(table[side: 2 * index + 1].descriptor)
    }
    for session in sessions.all { close(session.descriptor) }
    for socket in sockets.values { close(socket.descriptor) }
  }

  /// Until the controller's next word that ends it.
  mutating func run() -> Pause {
    while true {
      turn()
      if let pause {
        self.pause = nil
        return pause
      }
    }
  }

  private mutating func turn() {
    let count = events.wait(epoll, milliseconds: timeout())
    now = cl_monotonic_nanoseconds()
    if count > 0 {
      for index in 0..<count {
        let (token, flags) = events[index]
        if token >> 32 != 0 { connectionEvent(token, flags) } else { specialEvent(token) }
      }
    }
    goOnWithUnfinished()
    expireConnecting()
    expireSessions()
    acceptAgainIfPossible()
  }

  private mutating func specialEvent(_ token: UInt64) {
    let (kind, index) = Token.special(token)
    switch kind {
    case .listener: take(index)
    case .session: answer(index)
    case .inbox: obeyOrders()
    case nil: break
    }
  }

  private mutating func goOnWithUnfinished() {
    guard !again.isEmpty else { return }
    let sides = again
    again.removeAll(keepingCapacity: true)
    for token in sides {
      let side = Int(token & 0xffff_ffff)
      if table.isCurrent(side: side, generation: UInt32(token >> 32)) { forward(from: side) }
    }
  }

  private borrowing func timeout() -> Int32 {
    if !again.isEmpty { return 0 }
    var wakeAt = min(acceptAgainAt, sessions.nextExpiry)
    if firstConnecting >= 0 { wakeAt = min(wakeAt, table[Int(firstConnecting)].deadline) }
    if wakeAt == .max { return -1 }
    let current = cl_monotonic_nanoseconds()
    return wakeAt <= current ? 0 : Int32(clamping: (wakeAt - current + 999_999) / 1_000_000)
  }
}

extension Duration {
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
  }
}

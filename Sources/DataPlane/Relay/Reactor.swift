// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// The relay's event loop: a value owned by one thread, with all state in place.
///
/// Its parts: listening and connecting in `Reactor+Accept`, moving bytes in `Reactor+Forward`, skepd's orders in
/// `Reactor+Control` and `Reactor+Table`.
struct Reactor: ~Copyable {
  let epoll: Int32
  let connectTimeout: UInt64
  let reportInterval: UInt64
  let drainTimeout: UInt64
  let controlCheck: UInt64
  let pidFile: String?
  /// Descriptors left for connections, two each, is this less what the listening sockets take.
  let descriptorLimit: Int
  let connectionLimit: Int

  var table: ConnectionTable
  var pool = BlockPool()
  /// Where reads go first. A short write makes it the side's pending block, and another takes its place.
  var scratch: Block
  private let events = EventBuffer()

  var sessions: DatagramSessions
  let sessionTimeouts: DatagramSessions.Timeouts

  var listeners: [RelayListener?] = []
  var sockets: [ListeningSocket?] = []
  var generation: UInt64 = 0
  var sources = SourcePolicy.none

  var control: ControlServer?
  /// What SIGHUP puts in this process's place: a path and its arguments.
  let successor: [String]
  private let signals: Int32
  private let stop: Int32

  /// Monotonic nanoseconds, read once per turn.
  var now = cl_monotonic_nanoseconds()
  let started = cl_monotonic_nanoseconds()
  var random = SplitMix64(seed: .random(in: .min ... .max))
  var firstConnecting: Int32 = -1
  var lastConnecting: Int32 = -1
  /// Endpoints that failed a connection which is still looking for one. Most never get an entry.
  var tried: [Int: [EndpointHandle]] = [:]
  /// Sides that used up their share of a turn and have more.
  var again: [UInt64] = []
  var isAccepting = true
  var acceptAgainAt = UInt64.max
  var reportIsDue = false
  var lastReport: UInt64 = 0
  /// When to look next whether skepd can still find us.
  var nextControlCheck: UInt64 = 0
  var isControlLost = false
  var drainDeadline: UInt64?
  var finished = false

  init(_ configuration: Relay.Configuration) throws(DataPlaneError) {
    // Everything that can fail comes before the first property, so that there is nothing half made to take down.
    let limit = Int(cl_raise_descriptor_limit())
    let connections = min(configuration.connectionLimit ?? .max, 1 << 20, max(1, limit / 2))
    let connectionTable = try ConnectionTable(capacity: connections)
    let server = try ControlServer(path: configuration.controlPath)
    epoll = cl_epoll_create()
    descriptorLimit = limit
    connectionLimit = connections
    table = connectionTable
    control = server
    sessions = DatagramSessions(capacity: max(1, connections / 2))
    sessionTimeouts = configuration.sessionTimeouts
    connectTimeout = configuration.connectTimeout.nanoseconds
    reportInterval = configuration.reportInterval.nanoseconds
    drainTimeout = configuration.drainTimeout.nanoseconds
    successor = configuration.successor
    controlCheck = configuration.controlCheck.nanoseconds
    pidFile = configuration.pidFile
    signals = configuration.handlesSignals ? cl_control_signals() : -1
    stop = configuration.stopDescriptor ?? -1
    scratch = pool.take()
    _ = cl_epoll_add(epoll, server.listener, CL_IN, Token.special(.controlListener))
    if signals >= 0 { _ = cl_epoll_add(epoll, signals, CL_IN, Token.special(.signal)) }
    if stop >= 0 { _ = cl_epoll_add(epoll, stop, CL_IN, Token.special(.stop)) }
  }

  deinit {
    for index in table.indices where table[index].phase != .free {
      close(table[side: 2 * index].descriptor)
      close(table[side: 2 * index + 1].descriptor)
    }
    for session in sessions.all { close(session.descriptor) }
    for socket in sockets { if let socket { close(socket.descriptor) } }
    if signals >= 0 { close(signals) }
    close(epoll)
  }

  mutating func run() {
    while !finished { turn() }
  }

  mutating func turn() {
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
    report()
    checkControlFile()
    if let deadline = drainDeadline, table.count + sessions.count == 0 || deadline <= now { finished = true }
  }

  private mutating func specialEvent(_ token: UInt64) {
    let (kind, index) = Token.special(token)
    switch kind {
    case .listener: take(index)
    case .session: answer(index)
    case .controlListener: acceptControl()
    case .controlPeer: controlEvent()
    case .signal: if cl_next_signal(signals) == SIGHUP { handOver() } else { beginDrain() }
    case .stop: finished = true
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
    var wakeAt = min(acceptAgainAt, drainDeadline ?? .max)
    if firstConnecting >= 0 { wakeAt = min(wakeAt, table[Int(firstConnecting)].deadline) }
    wakeAt = min(wakeAt, sessions.nextExpiry)
    if reportIsDue { wakeAt = min(wakeAt, lastReport + reportInterval) }
    if control != nil { wakeAt = min(wakeAt, nextControlCheck) }
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

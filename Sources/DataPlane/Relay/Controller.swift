// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// The relay's main thread: it talks with skepd, applies its tables, and tells the threads that carry the traffic. It carries none.
struct Controller: ~Copyable {
  let configuration: Relay.Configuration
  let shared: Shared
  private let threads: [ReactorThread]
  var control: ControlServer?
  /// The listening sockets by the ids of the shared table: this thread's descriptors, which are what a successor gets.
  var held: [Int: (port: ListenerPort, descriptor: Int32)] = [:]
  /// Questions of skepd's that not all threads have answered.
  var collections: [Int: Collection] = [:]
  var nextCollection = 0

  /// Relays that this one replaced and that still have connections.
  var predecessors: [Predecessor]
  /// The one that replaced this one.
  var heir: Heir?

  /// Monotonic nanoseconds, read once per turn.
  var now = cl_monotonic_nanoseconds()
  let started = cl_monotonic_nanoseconds()
  var lastReport: UInt64 = 0
  var isReportDue = false
  /// When to look next whether skepd can still find us.
  var nextControlCheck: UInt64 = 0
  var isControlLost = false
  /// When to end though connections are open; `.max` for never, `nil` while serving.
  var drainDeadline: UInt64?
  private var isFinished = false
  private let signals: Int32

  struct Collection {
    enum Question {
      case table(ControlMessage.Applied)
      /// Asked like the others, so that answers are in the order of what they answer.
      case refusal(kind: UInt8, String)
      case counters(ticket: UInt64)
      case counts(ticket: UInt64, [String])
    }

    let question: Question
    var isOfTable: Bool { if case .table = question { true } else { false } }
    var live: LiveBytes = [:]
    var missing: Int
  }

  init(_ configuration: Relay.Configuration) throws(DataPlaneError) {
    let descriptors = Int(cl_raise_descriptor_limit())
    let connections = min(configuration.connectionLimit ?? .max, 1 << 20, max(1, descriptors / 2))
    let shared = try Shared(
      threads: max(1, configuration.threads), connectionLimit: connections, descriptorLimit: descriptors,
      seed: .random(in: .min ... .max))
    var threads: [ReactorThread] = []
    for thread in shared.orders.indices {
      threads.append(
        ReactorThread(
          try Reactor(thread: thread, shared: shared, configuration, connectionLimit: connections), shared: shared))
    }
    control = try ControlServer(path: configuration.controlPath)
    self.configuration = configuration
    self.shared = shared
    self.threads = threads
    predecessors = configuration.predecessors.map { Predecessor(descriptor: $0) }
    signals = configuration.handlesSignals ? cl_control_signals() : -1
  }

  deinit {
    for socket in held.values { close(socket.descriptor) }
    for predecessor in predecessors { close(predecessor.socket.descriptor) }
    if let heir { close(heir.socket.descriptor) }
    if signals >= 0 { close(signals) }
  }

  mutating func run() {
    startThreads()
    while !isFinished { turn() }
    stopThreads()
  }

  /// Whom poll listens to; a predecessor by its index.
  private enum Source {
    case notices, predecessor(Int), heir, peer, newPeer, signals, stop
  }

  /// In the order in which they are served. One that there is not has the descriptor -1, which poll passes over.
  private var sources: [(source: Source, descriptor: Int32)] {
    // From the last on, as one that has ended is taken out.
    [(.notices, shared.notices.descriptor)]
      + predecessors.indices.reversed().map { (.predecessor($0), predecessors[$0].socket.descriptor) }
      + [
        (.heir, heir?.socket.descriptor ?? -1), (.peer, control?.peer?.descriptor ?? -1), (.newPeer, control?.listener ?? -1),
        (.signals, signals), (.stop, configuration.stopDescriptor ?? -1),
      ]
  }

  private mutating func turn() {
    let sources = sources
    var watched = sources.map { source, descriptor in
      var events = Int16(POLLIN)
      if case .peer = source, control?.hasQueued == true { events |= Int16(POLLOUT) }
      return pollfd(fd: descriptor, events: events, revents: 0)
    }
    _ = poll(&watched, nfds_t(watched.count), timeout())
    now = cl_monotonic_nanoseconds()
    for (source, found) in zip(sources.map(\.source), watched) where found.revents != 0 { serve(source) }
    answerCollected()
    report()
    checkControlFile()
    if let deadline = drainDeadline, deadline <= now || shared.isDrained { isFinished = true }
  }

  private mutating func serve(_ source: Source) {
    switch source {
    case .notices: for notice in shared.notices.takeAll() { take(notice) }
    case .predecessor(let index): hear(predecessor: index)
    case .heir: hearHeir()
    case .peer: controlEvent()
    case .newPeer: acceptControl()
    case .signals: takeSignal()
    case .stop: isFinished = true
    }
  }

  private mutating func take(_ notice: ReactorNotice) {
    switch notice {
    case .collected(let ticket, let live): collect(live, ticket)
    case .reportDue: isReportDue = true
    // Looked at in each turn.
    case .empty: break
    case .parked, .stopped: break
    }
  }

  /// A table is not acknowledged yet.
  var isApplying: Bool { collections.values.contains(where: \.isOfTable) }

  private func timeout() -> Int32 {
    var wakeAt = drainDeadline ?? .max
    if isReportDue, !isApplying { wakeAt = min(wakeAt, lastReport + configuration.reportInterval.nanoseconds) }
    if control != nil { wakeAt = min(wakeAt, nextControlCheck) }
    if awaitsPredecessors { wakeAt = min(wakeAt, predecessorDeadline) }
    if wakeAt == .max { return -1 }
    let current = cl_monotonic_nanoseconds()
    return wakeAt <= current ? 0 : Int32(clamping: (wakeAt - current + 999_999) / 1_000_000)
  }

  private mutating func takeSignal() {
    if cl_next_signal(signals) == SIGHUP { handOver() } else { beginDrain(atMost: configuration.drainTimeout.nanoseconds) }
  }

  func startThreads() {
    for thread in threads { thread.start() }
  }

  /// Returns when all stand still.
  func parkThreads() {
    shared.tellAll(.park)
    waitForThreads { if case .parked = $0 { true } else { false } }
  }

  private func stopThreads() {
    shared.tellAll(.stop)
    waitForThreads { if case .stopped = $0 { true } else { false } }
  }

  /// Until each thread has said so.
  private func waitForThreads(_ isAnswer: (ReactorNotice) -> Bool) {
    var missing = threads.count
    while missing > 0 { missing -= shared.notices.waitForAll().count(where: isAnswer) }
  }
}

extension Controller {
  /// Closes the listening sockets, whose other holders keep the port, and lets open connections finish for a while.
  mutating func beginDrain(atMost nanoseconds: UInt64) {
    let deadline = nanoseconds == .max ? .max : now + nanoseconds
    drainDeadline = min(drainDeadline ?? .max, deadline)
    guard control != nil else { return }
    control = nil
    shared.room.beginDraining()
    shared.tellAll(.drain)
    for (id, socket) in held {
      close(socket.descriptor)
      held[id] = nil
    }
  }
}

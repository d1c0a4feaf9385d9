// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// The supervisor's thread: all of this is touched by it alone.
final class SupervisorLoop {
  /// A relay that was started and does not answer within this time is killed.
  private static let startTimeout: UInt64 = 5_000_000_000
  /// One that accepts us and says nothing for this long is stuck, and serves nobody.
  private static let greetTimeout: UInt64 = 10_000_000_000
  /// Unanswered questions after which a relay counts as stuck. They are counted, not timed, so that a pause of this process, or of
  /// the whole machine, is not held against the relay.
  private static let patience = 10

  let process: RelayProcess
  let mailbox: SupervisorMailbox
  /// Between two questions whether the relay still works.
  let checkInterval: UInt64
  /// Before talking again to a relay that was not understood, or did not answer a table.
  private let misunderstandingPause: UInt64
  let log: @Sendable (RelaySupervisor.LogLevel, String) -> Void

  var kept = KeptSockets()
  var link: ControlSocket?
  var hasGreeted = false
  /// It speaks another version, and is asked for nothing but its end.
  var isForeign = false
  /// The last table asked for; sent again to every relay that says hello.
  var desired: EndpointTable?
  /// `nil` until we are told: a relay that an earlier life has left goes on with what that one said.
  var sources: SourcePolicy?
  /// Whoever waits for a table that is not sent yet.
  var programs: [UInt64] = []
  /// The table that the relay has not answered. The next one waits for the answer: it depends on what became of this one.
  var sent: SentTable?
  /// Asked again when the relay dies before it answers.
  var questions: [UInt64: SupervisorRequest] = [:]
  var shutdowns: [UInt64] = []
  var isOff = false
  var isStopping = false
  var hasBeenSuperseded = false
  /// The relay said that another program takes its place: its process is waited for, none is started beside it.
  var isBeingReplaced = false
  var relayPorts: Set<ListenerPort> = []

  private var child: Int32?
  /// Children that let go of the socket and may still have connections to finish.
  private var leaving: [Int32] = []
  private var connectedAt: UInt64 = 0
  private var pauseUntil: UInt64 = 0
  private var childStarted: UInt64 = 0
  private var backoff = RestartBackoff()
  private var startAt: UInt64?
  private var absence = RelayAbsence()
  private var nextCheck: UInt64 = 0
  private var unanswered = 0

  struct SentTable {
    let generation: UInt64
    let tickets: [UInt64]
    let ports: Set<ListenerPort>
    /// Those that were not bound before.
    let bound: Set<ListenerPort>
    let failures: [ProgramResult.Failure]
    let listeners: [Listener]
  }

  init(
    process: RelayProcess, mailbox: SupervisorMailbox, checkInterval: Duration, misunderstandingPause: Duration,
    log: @escaping @Sendable (RelaySupervisor.LogLevel, String) -> Void
  ) {
    self.process = process
    self.mailbox = mailbox
    self.checkInterval = checkInterval.nanoseconds
    self.misunderstandingPause = misunderstandingPause.nanoseconds
    self.log = log
  }

  deinit { link?.close() }

  func run() throws {
    defer { if process.executable != nil { ControlGroup.removeIfEmpty() } }
    while !isStopping {
      if hasBeenSuperseded { throw DataPlaneError(.superseded, "another skepd has taken over \(process.controlPath)") }
      if link == nil, !isOff { establish() }
      wait()
    }
    if isOff { waitForLeaving() }
  }

  /// A relay that was shut down and has nothing to finish ends at once: then nothing of it is left when this process ends.
  private func waitForLeaving() {
    for _ in 0..<100 where !leaving.isEmpty {
      leaving.removeAll(where: RelayProcess.hasEnded)
      if !leaving.isEmpty { usleep(10_000) }
    }
  }

  /// Until the relay or a caller says something.
  private func wait() {
    var watched = [pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    if let link { watched.append(pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)) }
    _ = poll(&watched, nfds_t(watched.count), timeout())
    if watched[0].revents != 0 { takeRequests() }
    if watched.count > 1, watched[1].revents != 0 { receive() }
    reap()
    if hasGreeted { checkAnswers() } else { checkGreeting() }
  }

  private func reap() {
    guard !leaving.isEmpty else { return }
    leaving.removeAll(where: RelayProcess.hasEnded)
    if leaving.isEmpty, isOff, process.executable != nil { ControlGroup.removeIfEmpty() }
  }

  // While a relay is starting its socket is tried again and again: it answers within a few milliseconds.
  private func timeout() -> Int32 {
    if link != nil { return Int32(clamping: max(1, min(checkInterval / 1_000_000, 1000))) }
    if isOff { return leaving.isEmpty ? -1 : 1000 }
    guard let startAt, child == nil else { return 2 }
    let now = cl_monotonic_nanoseconds()
    return startAt <= now ? 0 : Int32(clamping: (startAt - now) / 1_000_000 + 1)
  }

  private func checkGreeting() {
    guard link != nil, cl_monotonic_nanoseconds() > connectedAt + Self.greetTimeout else { return }
    killStuck("does not speak")
    connectedAt = cl_monotonic_nanoseconds()
  }

  /// A relay that runs answers at once; one that is stopped or stuck serves nobody, and its clients are better off with another.
  private func checkAnswers() {
    let now = cl_monotonic_nanoseconds()
    guard now >= nextCheck else { return }
    nextCheck = now + checkInterval
    if unanswered >= Self.patience {
      unanswered = 0
      return killStuck("has stopped answering")
    }
    unanswered += 1
    areYouThere()
  }

  func hasAnswered() { unanswered = 0 }

  private func killStuck(_ reason: String) {
    var user: UInt32 = 0
    var stuck: Int32 = 0
    guard let link, cl_peer(link.descriptor, &user, &stuck) == 0, stuck > 1 else { return }
    log(.error, "relay \(stuck) \(reason), killed; connections through it are lost")
    kill(stuck, SIGKILL)
  }

  private func takeRequests() {
    guard let requests = mailbox.takeRequests() else {
      isStopping = true
      return
    }
    for (ticket, request) in requests { take(ticket, request) }
  }

  func receive() {
    do {
      while true {
        switch try link?.receive() ?? .nothing {
        case .message(let message, let descriptors): try hear(message, descriptors)
        case .unreadable(let kind, let reason):
          throw DataPlaneError(.protocol, "it sent a message of kind \(kind) that is not understood: \(reason)")
        case .nothing: return
        case .closed:
          // Of one that leaves at each table there is no end.
          if sent != nil { pauseUntil = cl_monotonic_nanoseconds() + misunderstandingPause }
          return lost("the relay is gone")
        }
      }
    } catch {
      pauseUntil = cl_monotonic_nanoseconds() + misunderstandingPause
      lost("left the relay: \(error)")
    }
  }

  func lost(_ reason: String) {
    guard link != nil else { return }
    log(shutdowns.isEmpty ? .warning : .info, reason)
    link?.close()
    link = nil
    (hasGreeted, isForeign) = (false, false)
    unanswered = 0
    relayPorts = []
    if isBeingReplaced {
      isBeingReplaced = false
      childStarted = cl_monotonic_nanoseconds()
    } else if let child {
      leaving.append(child)
      self.child = nil
    }
    programs = (sent?.tickets ?? []) + programs
    sent = nil
    mailbox.publish([:])
    if !shutdowns.isEmpty { finishShutdown() }
  }

  private func establish() {
    guard cl_monotonic_nanoseconds() >= pauseUntil else { return }
    if let found = try? ControlSocket.connect(to: process.controlPath) {
      link = found
      connectedAt = cl_monotonic_nanoseconds()
      startAt = nil
      absence = RelayAbsence()
      return
    }
    if !shutdowns.isEmpty { return finishShutdown() }
    let now = cl_monotonic_nanoseconds()
    if process.executable == nil { return startAt = lookAgain(now) }
    if let child { return watchStart(of: child, now) }
    let due = startAt ?? now + backoff.delay(now: now)
    startAt = due
    if due <= now { start(now) }
  }

  private func lookAgain(_ now: UInt64) -> UInt64 {
    let (next, isLong) = absence.missed(at: now)
    if isLong {
      log(.error, "no relay answers at \(process.controlPath): published ports are not served. Does skep-relay.service run?")
    }
    return next
  }

  /// A relay that another started and that speaks another version lets the program that is installed now take its place.
  func replaceForeign() {
    var user: UInt32 = 0
    var old: Int32 = 0
    guard let link, cl_peer(link.descriptor, &user, &old) == 0, old > 1 else { return lost("left a relay of another version") }
    let now = cl_monotonic_nanoseconds()
    pauseUntil = now + backoff.delay(now: now)
    backoff.started(at: now)
    kill(old, SIGHUP)
    lost("relay \(old) speaks another version and is replaced")
  }

  private func watchStart(of running: Int32, _ now: UInt64) {
    if RelayProcess.hasEnded(running) {
      child = nil
    } else if now > childStarted + Self.startTimeout, !hasGreeted {
      log(.error, "relay \(running) does not answer, killed")
      kill(running, SIGKILL)
      childStarted = now
    }
  }

  private func start(_ now: UInt64) {
    startAt = nil
    backoff.started(at: now)
    do {
      let started = try process.start()
      child = started
      childStarted = now
      for failure in ControlGroup.moveBeside(started) { log(.warning, "relay \(started) stays in our control group: \(failure)") }
      log(.info, "started relay \(started)")
    } catch {
      log(.error, "\(error)")
    }
  }
}

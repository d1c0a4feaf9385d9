// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

// What skepd says, and what it is told.
extension Reactor {
  /// Bounds one turn's work for skepd; epoll tells again.
  private static var messagesPerTurn: Int { 16 }

  mutating func acceptControl() {
    while let descriptor = control?.acceptPeer() {
      _ = cl_epoll_add(epoll, descriptor, CL_IN, Token.special(.controlPeer))
      let held = sockets.compactMap { $0 }
      let hello = ControlMessage.Hello(
        processID: getpid(), release: Relay.release, generation: generation, ports: held.map(\.port))
      tell(.hello(hello), descriptors: held.map(\.descriptor))
      reportIsDue = true
    }
  }

  mutating func controlEvent() {
    guard control?.hasQueued == false || control?.flush() == true else { return leavePeer() }
    for _ in 0..<Self.messagesPerTurn {
      switch control?.receive() ?? .nothing {
      case .message(let message, let descriptors): obey(message, descriptors)
      case .nothing: return rearmControl()
      case .closed: return leavePeer()
      }
    }
    rearmControl()
  }

  private mutating func obey(_ message: ControlMessage, _ descriptors: [Int32]) {
    switch message {
    case .table(let table, let ports) where ports.count == descriptors.count:
      tell(.applied(apply(table, sockets: Array(zip(ports, descriptors)))))
    case .countsRequest(let ticket, let endpoints): tell(.counts(ticket: ticket, openConnections(of: endpoints)))
    case .countersRequest(let ticket): tell(.counters(ticket: ticket, counters()))
    case .sources(let policy): sources = policy
    case .shutdown: beginDrain()
    // Whoever sends anything else is not the skepd we know; serving goes on without it.
    default:
      for descriptor in descriptors { close(descriptor) }
      leavePeer()
    }
  }

  private mutating func tell(_ message: ControlMessage, descriptors: [Int32] = []) {
    guard control?.peer != nil else { return }
    if control?.send(message, descriptors: descriptors) == true { rearmControl() } else { leavePeer() }
  }

  private func rearmControl() {
    guard let peer = control?.peer else { return }
    let events = control?.hasQueued == true ? CL_IN | CL_OUT : CL_IN
    _ = cl_epoll_modify(epoll, peer.descriptor, events, Token.special(.controlPeer))
  }

  // Serving goes on unchanged until another skepd connects.
  private mutating func leavePeer() {
    control?.closePeer()
  }

  /// Tells skepd what is open to endpoints that leave, when that changed.
  mutating func report() {
    guard reportIsDue, now >= lastReport + reportInterval else { return }
    reportIsDue = false
    lastReport = now
    tell(.draining(drainingConnections()))
  }

  /// Keeps the control socket where skepd looks for it. A relay whose place another has taken ends: it holds ports that its successor
  /// was told to open.
  mutating func checkControlFile() {
    guard now >= nextControlCheck, let control else { return }
    nextControlCheck = now + controlCheck
    switch control.presence {
    case .ours: return
    case .missing: reopenControl(control)
    case .replaced: if control.peer == nil { beginDrain() }
    }
  }

  private mutating func reopenControl(_ control: ControlServer) {
    do {
      // Closing the old socket takes it out of the set.
      try control.reopen()
      _ = cl_epoll_add(epoll, control.listener, CL_IN, Token.special(.controlListener))
      if let pidFile { try PidFile.write(pidFile) }
      isControlLost = false
      Self.say("\(control.path) was gone and is there again")
    } catch {
      // Once, not every second.
      if !isControlLost { Self.say("\(control.path) is gone: cannot \(error)") }
      isControlLost = true
    }
  }

  /// Into the relay's log.
  private static func say(_ text: String) {
    let line = "skep-relay: \(text)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
  }

  /// Closes the listening sockets, whose other holders keep the port, and lets open connections finish for a while.
  mutating func beginDrain() {
    guard drainDeadline == nil else { return }
    drainDeadline = now + drainTimeout
    for index in sockets.indices { closeListener(index, forGood: false) }
    control = nil
  }

  /// Lets the program at our path take our place under the same process id, so that neither a service manager nor a supervisor
  /// sees an end. Open connections stay with a copy of this process, which drains and exits.
  mutating func handOver() {
    guard drainDeadline == nil, let program = successor.first, access(program, X_OK) == 0 else { return }
    beginDrain()
    var arguments: [UnsafeMutablePointer<CChar>?] = successor.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    // Should there be no copy, this process drains by itself, as at SIGTERM.
    _ = cl_hand_over(program, &arguments)
  }
}

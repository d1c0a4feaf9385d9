// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// What skepd says, and what it is told.
extension Controller {
  /// Bounds one turn's work for skepd; poll tells again.
  private static var messagesPerTurn: Int { 16 }
  /// Questions under way at a time; a peer that asks more before it reads is left.
  private static var collectionLimit: Int { 1024 }

  mutating func acceptControl() {
    while control?.acceptPeer() != nil {
      collections = [:]
      let sockets = held.values.sorted { $0.port < $1.port }
      let hello = ControlMessage.Hello(
        processID: getpid(), release: Relay.release, generation: shared.withTable(\.generation), ports: sockets.map(\.port))
      tell(.hello(hello), descriptors: sockets.map(\.descriptor))
      isReportDue = true
    }
  }

  mutating func controlEvent() {
    guard control?.hasQueued == false || control?.flush() == true else { return leavePeer() }
    for _ in 0..<Self.messagesPerTurn {
      switch control?.receive() ?? .nothing {
      case .message(let message, let descriptors): obey(message, descriptors)
      case .unreadable(let kind, let reason): ask(.refusal(kind: kind, "\(reason)"))
      case .nothing: return
      case .closed: return leavePeer()
      }
    }
  }

  private mutating func obey(_ message: ControlMessage, _ descriptors: [Int32]) {
    switch message {
    case .table(let table, let ports) where ports.count == descriptors.count:
      ask(.table(apply(table, sockets: Array(zip(ports, descriptors)))))
    case .table(_, let ports):
      for descriptor in descriptors { close(descriptor) }
      ask(.refusal(kind: message.kind, "\(ports.count) new ports with \(descriptors.count) sockets"))
    case .countsRequest(let ticket, let endpoints): ask(.counts(ticket: ticket, endpoints))
    case .countersRequest(let ticket): ask(.counters(ticket: ticket))
    case .sources(let policy): shared.withTable { $0.sources = policy }
    case .shutdown: beginDrain(atMost: configuration.drainTimeout.nanoseconds)
    // Whoever sends anything else is not the skepd we know; serving goes on without it.
    default:
      for descriptor in descriptors { close(descriptor) }
      leavePeer()
    }
  }

  mutating func tell(_ message: ControlMessage, descriptors: [Int32] = []) {
    guard control?.peer != nil else { return }
    if control?.send(message, descriptors: descriptors) != true { leavePeer() }
  }

  // Serving goes on unchanged until another skepd connects.
  private mutating func leavePeer() {
    control?.closePeer()
    collections = [:]
  }

  /// Tells skepd what is open to endpoints that leave, when that changed; after the table that made them leave.
  mutating func report() {
    guard isReportDue, !isApplying, now >= lastReport + configuration.reportInterval.nanoseconds else { return }
    isReportDue = false
    lastReport = now
    tellHeir()
    let counts = shared.withTable { table in
      // Taken with the counts: a change after them makes the next report due.
      _ = table.takeReportDue()
      return table.drainingConnections()
    }
    tell(.draining(counts))
  }

  /// Every question goes to the threads. An answer means that they work: skepd takes a relay that does not answer for stuck. And it
  /// means that they have done what was said before: a table is applied when they have closed the sockets that it does not want.
  private mutating func ask(_ question: Collection.Question) {
    guard collections.count < Self.collectionLimit else { return leavePeer() }
    collections[nextCollection] = Collection(question: question, missing: shared.orders.count)
    let wantsBytes = if case .counters = question { true } else { false }
    shared.tellAll(.collect(ticket: nextCollection, bytes: wantsBytes))
    nextCollection += 1
  }

  mutating func collect(_ live: LiveBytes, _ number: Int) {
    guard var collection = collections[number] else { return }
    collection.live.add(live)
    collection.missing -= 1
    collections[number] = collection
  }

  /// Answers what all threads have answered, in the order of the questions; but not before the relays that this one replaced have said
  /// what they have: nobody is to believe that an endpoint has no connections while a client of theirs is on its way to it.
  mutating func answerCollected() {
    guard !awaitsPredecessors else { return }
    for number in collections.keys.sorted() {
      guard let collection = collections[number], collection.missing == 0 else { return }
      collections[number] = nil
      answer(collection)
    }
  }

  private mutating func answer(_ collection: Collection) {
    switch collection.question {
    case .table(let applied): tell(.applied(applied))
    case .refusal(let kind, let reason):
      Self.say("refused a message of kind \(kind): \(reason)")
      tell(.refused(.init(kind: kind, generation: shared.withTable(\.generation), reason: reason)))
    case .counters(let ticket):
      tell(.counters(ticket: ticket, report(adding: collection.live)))
    case .counts(let ticket, let endpoints):
      tell(.counts(ticket: ticket, shared.withTable { $0.openConnections(of: endpoints) }))
    }
  }

  private func report(adding live: LiveBytes) -> RelayReport {
    let (generation, listeners, inherited) = shared.withTable { ($0.generation, $0.counters(adding: live), $0.inheritedCount) }
    return RelayReport(
      release: Relay.release, uptime: now - started, generation: generation, threads: UInt16(clamping: shared.orders.count),
      connections: UInt32(clamping: shared.room.connectionCount), connectionLimit: UInt32(clamping: shared.room.limit),
      sessions: UInt32(clamping: shared.room.sessionCount), sessionLimit: UInt32(clamping: shared.room.sessionLimit),
      inherited: UInt32(clamping: inherited),
      listeners: listeners)
  }

  /// Makes the table the one in force: from here on no thread chooses by the one before it.
  private mutating func apply(_ table: EndpointTable, sockets new: [(port: ListenerPort, descriptor: Int32)])
    -> ControlMessage.Applied
  {
    var offered: [(port: ListenerPort, descriptor: Int32)] = []
    for (port, descriptor) in new {
      if drainDeadline == nil, port.transport.isServed(by: descriptor) {
        offered.append((port, descriptor))
      } else {
        close(descriptor)
      }
    }
    let changes = shared.withTable { $0.apply(table, offered: offered.map(\.port)) }
    for id in changes.closed { closeSocket(id) }
    for (id, offer) in changes.opened { openSocket(id, offered[offer]) }
    let used = Set(changes.opened.map(\.offer))
    for (offer, socket) in offered.enumerated() where !used.contains(offer) { close(socket.descriptor) }
    shared.tellAll(.tableChanged)
    return ControlMessage.Applied(generation: table.generation, failures: changes.failures)
  }

  private mutating func openSocket(_ id: Int, _ socket: (port: ListenerPort, descriptor: Int32)) {
    held[id] = socket
    shared.room.note(sockets: 1)
    // Datagrams of one client belong to one thread.
    let threads = socket.port.transport == .tcp ? Array(shared.orders.indices) : [id % shared.orders.count]
    for thread in threads {
      let own = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0)
      guard own >= 0 else {
        Self.say("no descriptor left to listen on \(socket.port)")
        continue
      }
      shared.room.note(sockets: 1)
      shared.orders[thread].post(.open(id: id, socket.port, descriptor: own))
    }
  }

  /// For good: nobody can connect any more, whoever else holds the socket.
  private mutating func closeSocket(_ id: Int) {
    guard let socket = held.removeValue(forKey: id) else { return }
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
    close(socket.descriptor)
    shared.room.note(sockets: -1)
    shared.tellAll(.close(id: id))
  }

  /// Keeps the control socket where skepd looks for it. A relay whose place another has taken ends: it holds ports that its successor
  /// was told to open.
  mutating func checkControlFile() {
    guard now >= nextControlCheck, let control else { return }
    nextControlCheck = now + configuration.controlCheck.nanoseconds
    switch control.presence {
    case .ours: return
    case .missing: reopenControl(control)
    case .replaced: if control.peer == nil { beginDrain(atMost: configuration.drainTimeout.nanoseconds) }
    }
  }

  private mutating func reopenControl(_ control: ControlServer) {
    do {
      try control.reopen()
      if let pidFile = configuration.pidFile { try PidFile.write(pidFile) }
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
}

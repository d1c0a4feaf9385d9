// SPDX-License-Identifier: Apache-2.0

import Balancing
import Glibc

// What callers ask and what the relay answers.
extension SupervisorLoop {
  func take(_ ticket: UInt64, _ request: SupervisorRequest) {
    switch request {
    case .program(let table):
      desired = table
      programs.append(ticket)
      isOff = isOff && !shutdowns.isEmpty
      sendTable()
    case .sources(let policy):
      sources = policy
      if hasGreeted, !isForeign, shutdowns.isEmpty { say(.sources(policy)) }
      mailbox.resolve(ticket, .success(.done))
    case .counts, .counters:
      // Of a relay that is away or hangs, answers are given up and asked for again, for as long as that may take.
      questions = questions.filter { mailbox.isAwaited($0.key) }
      questions[ticket] = request
      if isOff { answerWithoutRelay(ticket) } else if hasGreeted, !isForeign { ask(ticket, request) }
    case .shutdown:
      desired = nil
      shutdowns.append(ticket)
      if isOff { finishShutdown() } else if hasGreeted { say(.shutdown) }
    }
  }

  func hear(_ message: ControlMessage, _ descriptors: [Int32]) throws {
    hasAnswered()
    switch message {
    case .hello(let hello): try greet(hello, descriptors)
    case .applied(let applied): try conclude(applied)
    case .draining(let counts): mailbox.publish(counts.mapValues { Int($0) })
    case .counts(let ticket, let counts): answer(ticket, .counts(counts.mapValues { Int($0) }))
    case .counters(let ticket, let counters): answer(ticket, .counters(counters))
    case .superseded: hasBeenSuperseded = true
    case .replacing: isBeingReplaced = true
    case .refused(let refused): takeRefusal(refused)
    default:
      for descriptor in descriptors { close(descriptor) }
      throw DataPlaneError(.protocol, "the relay sent an order")
    }
  }

  // The sockets it hands over are ours too now, so nothing is bound again.
  private func greet(_ hello: ControlMessage.Hello, _ descriptors: [Int32]) throws {
    guard hello.ports.count == descriptors.count, !hasGreeted else {
      for descriptor in descriptors { close(descriptor) }
      throw DataPlaneError(.protocol, "a greeting with \(hello.ports.count) ports and \(descriptors.count) sockets")
    }
    for (port, descriptor) in zip(hello.ports, descriptors) { kept.adopt(port, descriptor) }
    log(.info, "connected to relay \(hello.processID), release \(hello.release), \(hello.ports.count) listeners")
    hasGreeted = true
    relayPorts = Set(hello.ports)
    // A relay of another version closes its listeners and finishes what it has; its successor gets the same sockets.
    if !shutdowns.isEmpty { return say(.shutdown) }
    isForeign = hello.version != ControlMessage.version
    if isForeign { return process.executable == nil ? replaceForeign() : say(.shutdown) }
    if hello.release != Relay.release {
      log(.info, "relay \(hello.processID) is not of this release, \(Relay.release), and stays")
    }
    if let sources { say(.sources(sources)) }
    sendTable()
    for (ticket, request) in questions { ask(ticket, request) }
  }

  /// Sends what is wanted, unless an answer is awaited: then that sends it.
  private func sendTable() {
    guard var table = desired, hasGreeted, !isForeign, shutdowns.isEmpty, sent == nil else { return }
    var failures: [ProgramResult.Failure] = []
    var bound: Set<ListenerPort> = []
    for listener in table.listeners where kept[listener.address] == nil {
      if let number = kept.bind(listener.address) {
        failures.append(ProgramResult.Failure(listener: listener.id, port: listener.address, errno: number))
      } else {
        bound.insert(listener.address)
      }
    }
    table.listeners.removeAll { kept[$0.address] == nil }
    let ports = Set(table.listeners.map(\.address))
    let new = ports.subtracting(relayPorts).sorted()
    sent = SentTable(
      generation: table.generation, tickets: programs, ports: ports, bound: bound, failures: failures,
      listeners: table.listeners)
    programs = []
    say(.table(table, ports: new), descriptors: new.compactMap { kept[$0] })
  }

  private func conclude(_ applied: ControlMessage.Applied) throws {
    guard let table = sent else { throw DataPlaneError(.protocol, "the relay applied a table that was not sent") }
    sent = nil
    // Only now that the relay has let go of them are the ports free.
    kept.close { !table.ports.contains($0) }
    let refused = table.listeners.compactMap { listener in
      applied.failures[listener.id].map { ProgramResult.Failure(listener: listener.id, port: listener.address, errno: $0) }
    }
    // A socket of ours that listens no more is bound anew with the next table.
    relayPorts = table.ports.subtracting(refused.map(\.port))
    kept.close { port in refused.contains { $0.port == port } }
    for failure in table.failures + refused { log(.error, "\(failure)") }
    mailbox.failures = table.failures + refused
    let result = ProgramResult(generation: applied.generation, failures: table.failures + refused)
    for ticket in table.tickets { mailbox.resolve(ticket, .success(.programmed(result))) }
    if !programs.isEmpty { sendTable() }
  }

  /// The relay goes on with what it had: whoever waits for something else hears why.
  private func takeRefusal(_ refused: ControlMessage.Refused) {
    let error = DataPlaneError(.refused, "the relay refused a message of kind \(refused.kind): \(refused.reason)")
    for (ticket, request) in questions where request.kind == refused.kind {
      questions[ticket] = nil
      mailbox.resolve(ticket, .failure(error))
    }
    guard refused.kind == ControlMessage.tableKind, let table = sent else { return log(.error, "\(error)") }
    sent = nil
    // Nobody would take the clients that queue there.
    kept.close(where: table.bound.contains)
    let text = "the relay refused table \(table.generation) and keeps \(refused.generation): \(refused.reason)"
    log(.error, text)
    for ticket in table.tickets { mailbox.resolve(ticket, .failure(DataPlaneError(.refused, text))) }
    if !programs.isEmpty { sendTable() }
  }

  private func ask(_ ticket: UInt64, _ request: SupervisorRequest) {
    switch request {
    case .counts(let endpoints): say(.countsRequest(ticket: ticket, endpoints: endpoints))
    case .counters: say(.countersRequest(ticket: ticket))
    case .program, .sources, .shutdown: break
    }
  }

  /// A question that costs nothing, of a ticket that nobody holds.
  func areYouThere() { say(.countsRequest(ticket: 0, endpoints: [])) }

  private func answer(_ ticket: UInt64, _ reply: SupervisorReply) {
    questions[ticket] = nil
    mailbox.resolve(ticket, .success(reply))
  }

  private func answerWithoutRelay(_ ticket: UInt64) {
    guard case .counts(let endpoints) = questions[ticket] else { return answer(ticket, .counters(nil)) }
    answer(ticket, .counts(Dictionary(endpoints.map { ($0, 0) }, uniquingKeysWith: { first, _ in first })))
  }

  func finishShutdown() {
    kept.close { _ in true }
    mailbox.failures = []
    let tickets = shutdowns
    shutdowns = []
    isOff = desired == nil
    if isOff { for ticket in questions.keys { answerWithoutRelay(ticket) } }
    for ticket in tickets { mailbox.resolve(ticket, .success(.done)) }
  }

  private func say(_ message: ControlMessage, descriptors: [Int32] = []) {
    do {
      try link?.send(message, descriptors: descriptors)
    } catch {
      // Its last words may say why.
      receive()
      lost("cannot reach the relay: \(error)")
    }
  }
}

extension SupervisorRequest {
  /// Of the message that asks it.
  fileprivate var kind: UInt8? {
    switch self {
    case .counts: ControlMessage.countsRequest(ticket: 0, endpoints: []).kind
    case .counters: ControlMessage.countersRequest(ticket: 0).kind
    case .program, .sources, .shutdown: nil
    }
  }
}

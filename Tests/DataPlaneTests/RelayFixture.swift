// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

@testable import Balancing
@testable import DataPlane

/// A relay on a thread of this process, with a control connection of our own.
final class RelayFixture: Sendable {
  let directory: TestDirectory
  let end: SharedEnd
  private let stop: Int32
  private let state: Mutex<State>

  private struct State {
    var link: ControlSocket
    var generation: UInt64 = 0
    /// Reports that came before the answer to something else.
    var reports: [ControlMessage] = []
  }

  init(_ adjust: (inout Relay.Configuration) -> Void = { _ in }) async throws {
    let directory = try TestDirectory()
    self.directory = directory
    stop = cl_eventfd()
    var configuration = Relay.Configuration(controlPath: directory.path + "/relay.sock")
    configuration.handlesSignals = false
    configuration.stopDescriptor = stop
    configuration.threads = 2
    adjust(&configuration)
    let path = configuration.controlPath
    let ready = configuration
    let shared = SharedEnd()
    DedicatedThread.start {
      do { try Relay.run(ready) } catch { shared.fail("\(error)") }
      shared.end()
    }
    var link: ControlSocket?
    _ = try await eventually {
      link = try? ControlSocket.connect(to: path)
      return link != nil || shared.hasEnded
    }
    guard let link else { throw DataPlaneError(.system, "the relay did not start: \(shared.reason)") }
    state = Mutex(State(link: link))
    end = shared
    guard case .hello = try receive() else { throw DataPlaneError(.protocol, "no hello") }
  }

  /// Applies listeners; those of port 0 get a socket on a free port. Returns the ports in order.
  @discardableResult
  func program(_ listeners: [Listener]) throws -> [UInt16] { try program(listeners) { close($0) } }

  /// - Parameter keep: gets the new sockets, of which the relay has duplicates; they are the caller's.
  func program(_ listeners: [Listener], _ keep: (Int32) -> Void) throws -> [UInt16] {
    try state.withLock { state in
      var new: [(port: ListenerPort, descriptor: Int32)] = []
      let table = EndpointTable(
        generation: state.generation + 1,
        listeners: listeners.map { listener in
          var listener = listener
          if listener.port == 0 {
            let descriptor = listener.transport == .tcp ? cl_listen(0, 512) : cl_bind_datagram(0)
            listener.port = UInt16(cl_local_port(descriptor))
            new.append((listener.address, descriptor))
          }
          return listener
        })
      state.generation += 1
      try state.link.send(.table(table, ports: new.map(\.port)), descriptors: new.map(\.descriptor))
      for (_, descriptor) in new { keep(descriptor) }
      while case let message = try Self.receive(&state.link) {
        if case .applied(let applied) = message {
          guard applied.failures.isEmpty else { throw DataPlaneError(.protocol, "\(applied.failures)") }
          break
        }
        state.reports.append(message)
      }
      return table.listeners.map(\.port)
    }
  }

  func counters() throws -> [ListenerCounters] { try report().listeners }

  func report() throws -> RelayReport {
    try state.withLock { state in
      try state.link.send(.countersRequest(ticket: 1))
      while true {
        let message = try Self.receive(&state.link)
        if case .counters(_, let report) = message { return report }
        state.reports.append(message)
      }
    }
  }

  func send(_ message: ControlMessage) throws { try state.withLock { try $0.link.send(message) } }

  /// Anything, as it is.
  func send(_ packet: ControlPacket) throws { try state.withLock { _ = try $0.link.send(packet) } }

  func receive() throws -> ControlMessage {
    try state.withLock { state in
      try state.reports.isEmpty ? Self.receive(&state.link) : state.reports.removeFirst()
    }
  }

  /// The next messages but reports.
  func answers(_ count: Int) throws -> [ControlMessage] {
    var answers: [ControlMessage] = []
    while answers.count < count {
      let message = try receive()
      if case .draining = message { continue }
      answers.append(message)
    }
    return answers
  }

  /// Whether no answer comes; reports are none.
  func isSilent(forMilliseconds limit: Int32) throws -> Bool {
    try state.withLock { state in
      var watched = pollfd(fd: state.link.descriptor, events: Int16(POLLIN), revents: 0)
      while poll(&watched, 1, limit) > 0 {
        guard case .message(.draining, _) = try state.link.receive() else { return false }
      }
      return true
    }
  }

  static func receive(_ link: inout ControlSocket) throws -> ControlMessage {
    for _ in 0..<50 {
      var watched = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
      _ = poll(&watched, 1, 100)
      switch try link.receive() {
      case .message(let message, let descriptors):
        for descriptor in descriptors { close(descriptor) }
        return message
      case .unreadable(_, let reason): throw reason
      case .closed: throw DataPlaneError(.stopped, "the relay closed the control connection")
      case .nothing: continue
      }
    }
    throw DataPlaneError(.stopped, "the relay is silent")
  }

  deinit {
    var one: UInt64 = 1
    _ = write(stop, &one, 8)
    // The thread still reads the descriptor; the directory must outlive it too.
    while !end.hasEnded { usleep(1_000) }
    state.withLock { $0.link.close() }
    close(stop)
  }
}

final class SharedEnd: Sendable {
  private let state = Mutex((ended: false, reason: ""))

  var hasEnded: Bool { state.withLock { $0.ended } }
  var reason: String { state.withLock { $0.reason } }
  func fail(_ reason: String) { state.withLock { $0.reason = reason } }
  func end() { state.withLock { $0.ended = true } }
}

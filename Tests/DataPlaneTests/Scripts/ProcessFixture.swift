// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

@testable import Balancing
@testable import DataPlane

/// The relay's program in a process, with duplicates of its listening sockets as skepd has them.
final class ProcessFixture: ScriptedRelay {
  private struct State {
    var processes: [Int32] = []
    var link: ControlSocket?
    var lastSignal: Int32 = 0
    var generation: UInt64 = 0
    var sockets: [ListenerPort: Int32] = [:]
    /// The ports whose sockets the relay has.
    var given: Set<ListenerPort> = []
  }

  private let host: TestHost
  private let state = Mutex(State())

  /// - Parameter descriptors: what the relay may open at most.
  init(descriptors: Int? = nil) throws {
    host = try TestHost(descriptors: descriptors)
    try reconnect()
  }

  var hasEnded: Bool { state.withLock { $0.processes.last.map { kill($0, 0) != 0 } ?? true } }

  func send(_ message: ControlMessage) throws { try state.withLock { try $0.link?.send(message) } }

  /// Resident, in bytes.
  var memory: Int { state.withLock { TestHost.memory(of: $0.processes.last ?? 0) } }

  func signal(_ number: Int32) {
    state.withLock { state in
      guard let process = state.processes.last else { return }
      kill(process, number)
      state.lastSignal = number
      if number == SIGKILL { waitpid(process, nil, 0) }
      // Until the last thread stands still.
      if number == SIGSTOP { waitpid(process, nil, WUNTRACED) }
    }
  }

  /// Meets the relay that is there now; one that ends, or gives its place up, lets go of us first.
  func reconnect() throws {
    try state.withLock { state in
      while state.link != nil, (try? Self.receive(&state)) != nil {}
      state.link?.close()
      (state.link, state.given) = (nil, [])
      if state.lastSignal != SIGHUP { state.processes.append(try host.startRelay()) }
      let deadline = ContinuousClock.now + .seconds(5)
      while state.link == nil, ContinuousClock.now < deadline {
        state.link = try? ControlSocket.connect(to: host.directory.path + "/relay.sock")
        usleep(1_000)
      }
      guard case .hello(let hello) = try Self.receive(&state) else { throw Mismatch("no hello") }
      state.given = Set(hello.ports)
    }
  }

  func program(_ listeners: [Listener]) throws -> [UInt16] {
    try state.withLock { state in
      var table = EndpointTable(generation: state.generation + 1, listeners: listeners)
      for index in table.listeners.indices where table.listeners[index].port == 0 {
        let descriptor = cl_listen(0, 512)
        table.listeners[index].port = UInt16(cl_local_port(descriptor))
        state.sockets[table.listeners[index].address] = descriptor
      }
      state.generation += 1
      let ports = Set(table.listeners.map(\.address))
      let new = ports.subtracting(state.given).sorted()
      try state.link?.send(.table(table, ports: new), descriptors: new.compactMap { state.sockets[$0] })
      state.given = ports
      while case let message = try Self.receive(&state) {
        if case .applied(let applied) = message, applied.generation == state.generation { break }
      }
      return table.listeners.map(\.port)
    }
  }

  func counters() throws -> [ListenerCounters] {
    try state.withLock { state in
      try state.link?.send(.countersRequest(ticket: 1))
      while true {
        if case .counters(_, let report) = try Self.receive(&state) { return report.listeners }
      }
    }
  }

  private static func receive(_ state: inout State) throws -> ControlMessage {
    guard var link = state.link else { throw Mismatch("no relay answers") }
    defer { state.link = link }
    return try RelayFixture.receive(&link)
  }

  deinit {
    state.withLock { state in
      for process in state.processes {
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
      }
      for socket in state.sockets.values { close(socket) }
      state.link?.close()
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

@testable import Balancing
@testable import DataPlane

/// What a script's line found instead of what it says.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Plays a script on the calling thread.
final class Stage {
  struct Conversation {
    var client: ScriptPeer?
    var server: ScriptPeer?
    /// What was sent until it stalled, by the client and by the server.
    var stalled: (client: Text?, server: Text?) = (nil, nil)
  }

  static let patience = Duration.seconds(5)

  let relay: any ScriptedRelay
  var conversations: [Int: Conversation] = [:]
  var servers = ScriptServers()
  var listeners: [Listener] = []
  /// Those that were in the table.
  var withdrawn: [String: Listener] = [:]
  private var clock = ContinuousClock.now
  /// Numbers of conversations that scripts do not see.
  private var visit = 1_000_000

  init(_ relay: any ScriptedRelay) { self.relay = relay }

  func play(_ steps: [Step]) throws {
    defer { for number in conversations.keys { leave(number) } }
    for (index, step) in steps.enumerated() {
      do { try perform(step) } catch { throw Mismatch("line \(index + 1), \(step): \(error)") }
    }
    try end()
  }

  private func perform(_ step: Step) throws {
    switch step {
    case .client(let act, let number): try client(act, number)
    case .server(let act, let number): try server(act, number)
    case .accepted(let name, let number): try accept(name, number)
    case .visits(let names, let listener, let address): for name in names { try visit(name, listener, address) }
    case .holds(let names, let first):
      for (offset, name) in names.enumerated() {
        try client(.connects(), first + offset)
        try accept(name, first + offset)
      }
    case .nobodyAccepts(let duration):
      if let name = try servers.next(within: duration) { throw Mismatch("\(name) got a connection") }
    case .serve, .withdraw, .move: try change(step)
    case .stop(let name): servers.stop(name)
    case .open, .totals, .failures, .refused, .bytes: try count(step)
    case .clock: clock = .now
    case .took(let least, let most):
      let taken = ContinuousClock.now - clock
      guard taken >= least, taken <= most else { throw Mismatch("it took \(taken)") }
    case .exchange(let count, let numbers): try exchange(count, numbers)
    case .shutdown: try relay.send(.shutdown)
    case .relayEnds: try until("the relay's end") { relay.hasEnded }
    case .signal(let number): relay.signal(number)
    case .reconnect:
      try relay.reconnect()
      try relay.program(listeners)
    }
  }

  func until(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + Self.patience
    while try !condition() {
      guard ContinuousClock.now < deadline else { throw Mismatch("waited in vain for \(what)") }
      usleep(500)
    }
  }

  private func accept(_ name: String, _ number: Int) throws {
    guard let found = try servers.next(within: Self.patience) else { throw Mismatch("nobody got a connection") }
    guard found == name else { throw Mismatch("\(found) got the connection") }
    conversations[number, default: Conversation()].server = try servers.accept(name)
  }

  private func visit(_ name: String, _ listener: String, _ address: String) throws {
    visit += 1
    try client(.connects(to: listener, from: address), visit)
    try accept(name, visit)
    if conversations[visit]?.server?.isStream == true {
      try server(.closes, visit)
      try client(.seesEnd, visit)
    }
    leave(visit)
  }

  private func leave(_ number: Int) {
    conversations[number]?.client?.close()
    conversations[number]?.server?.close()
    conversations[number] = nil
  }

  private func end() throws {
    for (number, conversation) in conversations.sorted(by: { $0.key < $1.key }) {
      if let more = conversation.client?.unread { throw Mismatch("at the end client \(number) was sent \(more)") }
      if let more = conversation.server?.unread { throw Mismatch("at the end server \(number) was sent \(more)") }
      leave(number)
    }
    if relay.hasEnded { return }
    if let name = try servers.next(within: .zero) { throw Mismatch("at the end somebody waits at \(name)") }
    try until("the end of all connections") { try relay.counters().allSatisfy { $0.port.transport == .udp || $0.open == 0 } }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Balancing
@testable import DataPlane

/// A conversation through a real relay, line by line: what each side does, and exactly what it must see.
///
/// Conversations have numbers, 1 where none is given: `client(…, 2)` is the one who connected, `server(…, 2)` the endpoint's end.
/// What must be seen has five seconds to come. At the end nobody may have been sent more than the lines say, and once all have
/// left the relay must have nothing open.
struct Script: Sendable, CustomTestStringConvertible {
  let name: String
  let steps: [Step]
  let adjust: @Sendable (inout Relay.Configuration) -> Void

  init(_ name: String, _ steps: [Step], adjust: @escaping @Sendable (inout Relay.Configuration) -> Void = { _ in }) {
    self.name = name
    self.steps = steps
    self.adjust = adjust
  }

  var testDescription: String { name }

  func run() async throws { try await run(on: RelayFixture(adjust)) }

  func run(on relay: some ScriptedRelay) async throws { try await offPool { try Stage(relay).play(steps) } }
}

/// What a script needs of a relay.
protocol ScriptedRelay: Sendable {
  /// Applies listeners; those of port 0 get a socket on a free port. Returns the ports in order.
  @discardableResult func program(_ listeners: [Listener]) throws -> [UInt16]
  func counters() throws -> [ListenerCounters]
  func send(_ message: ControlMessage) throws
  var hasEnded: Bool { get }
  /// Its process, when it has one of its own, and a new one in the place of one that ended or gave its place up.
  func signal(_ number: Int32)
  func reconnect() throws
}

extension RelayFixture: ScriptedRelay {
  var hasEnded: Bool { end.hasEnded }
  func signal(_ number: Int32) {}
  func reconnect() throws {}
}

enum Step: Sendable {
  case client(_ act: Act, _ number: Int = 1)
  case server(_ act: Act, _ number: Int = 1)
  /// The endpoint gets the connection, and no other endpoint gets one.
  case accepted(by: String, _ number: Int = 1)
  /// New clients, one after the other, each of whom meets the endpoint and leaves.
  case visits(_ endpoints: [String], to: String = "web", from: String = "127.0.0.1")
  /// New clients who stay; their numbers count from `first`.
  case holds(_ endpoints: [String], first: Int)
  case nobodyAccepts(for: Duration)

  /// Applies a table in which the listener is new or other than before; the rest stays.
  case serve(_ endpoints: [Place], as: String = "web", by: Strategy = .roundRobin, over: Transport = .tcp)
  case withdraw(_ listener: String)
  /// The port, with its clients that wait, goes to a service of another name.
  case move(_ listener: String, to: String, _ endpoints: [Place])
  /// The endpoint's host refuses connections from now on.
  case stop(_ endpoint: String)

  /// Of each endpoint, over all listeners.
  case open(_ counts: [String: Int])
  case totals(_ counts: [String: Int])
  case failures(_ counts: [String: Int])
  case refused(_ count: Int, by: String = "web")
  case bytes(in: Int, out: Int)

  /// What follows, up to `took`, is timed.
  case clock
  case took(atLeast: Duration, atMost: Duration = .seconds(5))
  /// Every one of these sends so many bytes both ways at the same time, and ends; both sides must see the other's.
  case exchange(_ count: Int, _ numbers: [Int] = [1])

  case shutdown
  case relayEnds
  case signal(_ number: Int32)
  case reconnect
}

/// What either side of a conversation does or must see.
enum Act: Sendable {
  /// As soon as the kernel has it in the queue; nobody need have accepted.
  case connects(to: String = "web", from: String = "127.0.0.1")
  case isRefused(by: String = "web")
  case sends(_ text: Text)
  case sendsUrgent(_ byte: UInt8)
  /// Sends until neither side takes more, which must be before `limit` bytes.
  case sendsUntilStalled(below: Int)
  /// A half-close.
  case finishes
  case resets
  case closes

  /// Exactly these bytes, next.
  case sees(_ text: Text)
  /// All that the other side sent until it stalled, and since then.
  case seesWhatStalled
  case seesEnd
  case seesReset
  case seesNothing(for: Duration)
}

/// Bytes to send or to see. A pattern is part of 2 MB of noise, over and over; where it begins depends on the seed.
enum Text: Sendable, ExpressibleByStringLiteral {
  case literal(String)
  case pattern(Int, seed: UInt64 = 1)

  init(stringLiteral value: String) { self = .literal(value) }

  var bytes: [UInt8] {
    switch self {
    case .literal(let text): return Array(text.utf8)
    case .pattern(let count, let seed):
      let start = Int(seed % 1_000) * 997
      var bytes: [UInt8] = []
      bytes.reserveCapacity(count)
      while bytes.count < count {
        let from = bytes.isEmpty ? start : 0
        bytes += Self.noise[from..<min(Self.noise.count, from + count - bytes.count)]
      }
      return bytes
    }
  }

  private static let noise: [UInt8] = {
    var generator = SplitMix64(seed: 1)
    var bytes: [UInt8] = []
    for _ in 0..<250_000 { withUnsafeBytes(of: generator.next()) { bytes += $0 } }
    return bytes
  }()
}

/// An endpoint in a table. A name is a server on loopback that the script speaks for.
enum Place: Sendable, ExpressibleByStringLiteral {
  case ready(String)
  case draining(String)
  /// Nobody listens there.
  case refusing(String)
  /// Nobody answers there.
  case silent(String, draining: Bool = false)
  /// There is no way there.
  case lost(String)

  init(stringLiteral value: String) { self = .ready(value) }
}

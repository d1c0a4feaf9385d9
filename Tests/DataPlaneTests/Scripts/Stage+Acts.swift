// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

@testable import Balancing
@testable import DataPlane

extension Stage {
  func client(_ act: Act, _ number: Int) throws {
    switch act {
    case .connects(let name, let address):
      let listener = try listener(name)
      conversations[number] = Conversation(client: try ScriptPeer(to: listener.address, from: address))
    case .isRefused(let name):
      let address = try listener(name).address
      // The relay's threads let go of it one after the other.
      try until("the end of \(address)") { TestHost.listeningSocket(address.number) == nil }
      do { try ScriptPeer(to: address, from: "127.0.0.1").close() } catch { return }
      throw Mismatch("\(address) is open")
    case .sendsUntilStalled(let limit):
      let sent = try need(conversations[number]?.client).sendUntilStalled(limit, other: need(conversations[number]?.server))
      conversations[number]?.stalled.client = sent
    case .seesWhatStalled: try need(conversations[number]?.client).see(need(conversations[number]?.stalled.server))
    default: try need(conversations[number]?.client).act(act)
    }
  }

  func server(_ act: Act, _ number: Int) throws {
    switch act {
    case .sendsUntilStalled(let limit):
      let sent = try need(conversations[number]?.server).sendUntilStalled(limit, other: need(conversations[number]?.client))
      conversations[number]?.stalled.server = sent
    case .seesWhatStalled: try need(conversations[number]?.server).see(need(conversations[number]?.stalled.client))
    default: try need(conversations[number]?.server).act(act)
    }
  }

  func listener(_ name: String) throws -> Listener { try need(withdrawn[name] ?? listeners.first { $0.id == name }) }

  private func need<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Mismatch("the script names what is not there") }
    return value
  }

  /// All of them at once, so that both directions of each are under way together.
  func exchange(_ count: Int, _ numbers: [Int]) throws {
    var flows: [ScriptFlow] = []
    for number in numbers {
      let (client, server) = (try need(conversations[number]?.client), try need(conversations[number]?.server))
      flows.append(ScriptFlow(from: client, to: server, Text.pattern(count, seed: UInt64(2 * number))))
      flows.append(ScriptFlow(from: server, to: client, Text.pattern(count, seed: UInt64(2 * number + 1))))
    }
    let deadline = ContinuousClock.now + .seconds(30)
    while case let open = flows.filter({ !$0.hasEnded }), !open.isEmpty {
      guard ContinuousClock.now < deadline else { throw Mismatch("the bytes do not arrive: \(open.map(\.progress))") }
      var watched = open.flatMap(\.watched)
      _ = poll(&watched, nfds_t(watched.count), 1000)
      for flow in open { try flow.move() }
    }
  }
}

/// One direction of an exchange.
final class ScriptFlow {
  private let (sender, receiver): (ScriptPeer, ScriptPeer)
  private let bytes: [UInt8]
  private var sent = 0
  private var seen = 0
  private var hasFinished = false
  private(set) var hasEnded = false

  init(from sender: ScriptPeer, to receiver: ScriptPeer, _ text: Text) {
    (self.sender, self.receiver) = (sender, receiver)
    bytes = text.bytes
  }

  var progress: String { "\(sent) sent, \(seen) seen of \(bytes.count)" }

  var watched: [pollfd] {
    let reads = pollfd(fd: receiver.descriptor, events: Int16(POLLIN), revents: 0)
    return sent < bytes.count ? [reads, pollfd(fd: sender.descriptor, events: Int16(POLLOUT), revents: 0)] : [reads]
  }

  func move() throws {
    if sent < bytes.count { sent += try sender.sendSome(bytes[sent...].prefix(65_536)) }
    if sent == bytes.count, !hasFinished {
      hasFinished = true
      try sender.act(.finishes)
    }
    while case let part? = try receiver.receiveSome(65_536) {
      guard seen + part.count <= bytes.count, part.isSame(as: bytes[seen..<seen + part.count]) else {
        throw Mismatch("other bytes than were sent, after \(seen)")
      }
      seen += part.count
      guard part.isEmpty else { continue }
      guard seen == bytes.count else { throw Mismatch("the end after \(seen) bytes of \(bytes.count)") }
      return hasEnded = true
    }
  }
}

extension [UInt8] {
  /// As ==, but fast in debug builds.
  func isSame(as other: ArraySlice<UInt8>) -> Bool {
    withUnsafeBytes { own in
      other.withUnsafeBytes { other in
        guard own.count == other.count, let one = own.baseAddress, let two = other.baseAddress else {
          return own.count == other.count
        }
        return memcmp(one, two, own.count) == 0
      }
    }
  }
}

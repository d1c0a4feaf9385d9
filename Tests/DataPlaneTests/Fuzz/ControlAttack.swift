// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

@testable import Balancing
@testable import DataPlane

/// A peer at a control socket that says nothing right. Nothing it says is a table that could be meant: what the other side serves
/// must stay as it is.
struct ControlAttack {
  var mutator: Mutator
  /// The read end of a pipe whose write ends are sent along: it ends when the other side has let go of every one.
  let witness: Int32
  private let sent: Int32
  private let others: [Int32]

  init(_ mutator: Mutator) {
    self.mutator = mutator
    var pipes: [Int32] = [-1, -1]
    pipe(&pipes)
    for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    (witness, sent) = (pipes[0], pipes[1])
    others = [open("/dev/null", O_RDWR | O_CLOEXEC), cl_bind_datagram(0), cl_eventfd(), cl_epoll_create()]
  }

  /// Everything of ours is closed; true when the other side has none of it left either.
  func end() throws -> Bool {
    for descriptor in others + [sent] { close(descriptor) }
    defer { close(witness) }
    var watched = pollfd(fd: witness, events: Int16(POLLIN), revents: 0)
    return poll(&watched, 1, 5_000) > 0
  }

  /// One of the wrong things to do on a connection; it is closed afterwards, whatever was left unsaid.
  mutating func strike(_ descriptor: Int32, kinds: [ControlMessage]) {
    let message = kinds[mutator.below(kinds.count)]
    switch mutator.below(9) {
    case 0: send(descriptor, mutator.noise(mutator.below(200)))
    case 1: nonsense(descriptor)
    case 2: for packet in unreadable(message) { send(descriptor, packet) }
    case 3: vanish(descriptor, message)
    case 4: send(descriptor, ControlPacket.packets(for: message)[0].bytes + mutator.noise(1 + mutator.below(9)))
    case 5: reorder(descriptor, message)
    case 6: flood(descriptor)
    case 7: endless(descriptor)
    default: break
    }
    close(descriptor)
  }

  /// With as many descriptors as chance says, of kinds that are of no use.
  private mutating func send(_ descriptor: Int32, _ bytes: [UInt8]) {
    let count = mutator.below(3) == 0 ? mutator.below(Int(CL_FDS_PER_PACKET) + 1) : mutator.below(4)
    let descriptors = (0..<count).map { _ in mutator.below(2) == 0 ? sent : others[mutator.below(others.count)] }
    _ = cl_send_packet(descriptor, bytes, bytes.count, descriptors, Int32(count))
  }

  /// Of any kind; noise that is a message by chance is not sent.
  private mutating func nonsense(_ descriptor: Int32) {
    let (kind, payload) = (UInt8(mutator.below(256)), mutator.noise(mutator.below(60)))
    if (try? ControlMessage(kind: kind, payload: payload)) == nil {
      send(descriptor, [ControlPacket.version, kind, 0] + payload)
    }
  }

  /// Of the message's kind, and certainly not a message.
  private mutating func unreadable(_ message: ControlMessage) -> [[UInt8]] {
    for _ in 0..<20 {
      let payload = mutator.mutated(message.encodedPayload())
      if (try? ControlMessage(kind: message.kind, payload: payload)) == nil {
        return [[ControlPacket.version, message.kind, 0] + payload.prefix(ControlPacket.payloadSize)]
      }
    }
    return [[ControlPacket.version, message.kind, 0] + message.encodedPayload() + [0]]
  }

  private mutating func vanish(_ descriptor: Int32, _ message: ControlMessage) {
    for _ in 0..<mutator.below(5) {
      send(descriptor, [ControlPacket.version, message.kind, 1] + mutator.noise(mutator.below(2_000)))
    }
  }

  private mutating func reorder(_ descriptor: Int32, _ message: ControlMessage) {
    let payload = message.encodedPayload()
    let cut = mutator.below(payload.count + 1)
    // The second half first: what comes out is no message, or one with bytes after its end.
    send(descriptor, [ControlPacket.version, message.kind, 1] + payload[cut...])
    send(descriptor, [ControlPacket.version, message.kind, 0] + payload[..<cut] + [0xff])
  }

  /// Questions whose answers nobody reads.
  private mutating func flood(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    for ticket in 0..<UInt64(100 + mutator.below(3_000)) {
      let bytes = ControlPacket.packets(for: .countersRequest(ticket: ticket))[0].bytes
      if cl_send_packet(descriptor, bytes, bytes.count, nil, 0) < 0 { return }
    }
  }

  /// A message of parts without an end.
  private mutating func endless(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    let bytes = [ControlPacket.version, 16, 1] + mutator.noise(1_000)
    for _ in 0..<mutator.below(500) where cl_send_packet(descriptor, bytes, bytes.count, [sent], 1) < 0 { return }
  }
}

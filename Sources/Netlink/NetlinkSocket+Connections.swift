// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Glibc

/// A TCP connection that its client has begun and that is not established yet, as it is tracked.
package struct Attempt: Sendable, Hashable {
  package let mark: UInt32
  /// It was answered by a reset; otherwise it may still come to something.
  package let isRefused: Bool
  /// What the kernel knows it by, as it told it: attributes by type.
  fileprivate let identity: [UInt16: [UInt8]]
}

extension NetlinkSocket {
  private static let hasReply: UInt32 = 1 << 1
  private static let isAssured: UInt32 = 1 << 2

  /// - Parameter lacking: only those that have none of these bits of the connection's status.
  func tracking(
    _ type: UInt16, _ flags: NetlinkMessage.Flags, mark: UInt32, mask: UInt32, lacking: UInt32 = 0, _ name: String
  ) -> NetlinkMessage {
    var message = NetlinkMessage(1 << 8 | type, flags, name: "\(name) connections with the mark \(mark)") { fixed in
      fixed.write(UInt32(0))
    }
    message.add(8, mark.bigEndian)
    message.add(21, mask.bigEndian)
    if lacking != 0 {
      message.add(3, UInt32(0))
      message.add(26, lacking.bigEndian)
    }
    return message
  }

  /// Those whose mark, as far as `mask` goes, is `mark`. Of a `netfilter` socket. Looks through all that is tracked: some 20 ms for 100,000.
  package func attempts(mark: UInt32, mask: UInt32) throws(NetlinkError) -> [Attempt] {
    let request = tracking(1, .dump, mark: mark, mask: mask, lacking: Self.isAssured, "listing")
    return try ask(request).compactMap { reply in
      let attributes = reply.attributes(after: 4)
      let tcp = NetlinkReply.attributes(NetlinkReply.attributes(attributes[4] ?? [])[1] ?? [])
      guard let bits: UInt32 = attributes[8]?.number(), let state = tcp[1]?.first else { return nil }
      // SYN_SENT and SYN_RECV; CLOSE. Others were established and are about to be forgotten by themselves.
      guard state == 1 || state == 2 || state == 8 else { return nil }
      let identity = attributes.filter { [Self.original, Self.id, Self.zone].contains($0.key) }
      return Attempt(mark: UInt32(bigEndian: bits), isRefused: state == 8, identity: identity)
    }
  }

  private static let (original, id, zone) = (UInt16(1), UInt16(12), UInt16(18))

  /// Forgets this one alone. One that has become another meanwhile, or is gone, is fine.
  package func forget(_ attempt: Attempt) throws(NetlinkError) {
    var message = NetlinkMessage(1 << 8 | 2, .acknowledge, name: "forgetting a refused connection") { $0.write(UInt32(2)) }
    for (type, value) in attempt.identity.sorted(by: { $0.key < $1.key }) {
      message.add(type == Self.original ? type | 1 << 15 : type, value)
    }
    do { try perform(message) } catch  where error.isAbsent {}
  }

  /// Forgets tracked connections whose mark, as far as `mask` goes, is `mark`; with `isUnanswered` only those of which nothing has come
  /// back: one that was answered may be open for its client already, whose next packet would belong to nobody. Of a `netfilter` socket. A connection that is forgotten begins anew with its next packet.
  package func forgetConnections(mark: UInt32, mask: UInt32, isUnanswered: Bool) throws(NetlinkError) {
    // Without a mark it would forget all.
    guard mask != 0 else { return }
    let message = tracking(2, .acknowledge, mark: mark, mask: mask, lacking: isUnanswered ? Self.hasReply : 0, "forgetting")
    do { try perform(message) } catch  where error.isAbsent {}
  }
}

/// A TCP or UDP socket of this host that is connected, as the kernel names it.
package struct ConnectedSocket: Sendable, Hashable {
  package let isTCP: Bool
  package let ends: ConnectionEnds
  /// What the kernel knows it by.
  fileprivate let identity: [UInt8]

  package var peer: IPv4Address { ends.peer }
  package var peerPort: UInt16 { ends.peerPort }
}

extension NetlinkSocket {
  private func diagnose(
    _ type: UInt16, _ flags: NetlinkMessage.Flags, isTCP: Bool, states: UInt32, _ identity: [UInt8], _ name: String
  )
    -> NetlinkMessage
  {
    NetlinkMessage(type, flags, name: name) { fixed in
      fixed.write(UInt8(AF_INET))
      fixed.write(UInt8(isTCP ? IPPROTO_TCP : IPPROTO_UDP))
      fixed.write(UInt16(0))
      fixed.write(states)
      fixed.bytes += identity
    }
  }

  /// Of a `sockets` socket. Those that are established or on the way there.
  package func connectedSockets() throws(NetlinkError) -> [ConnectedSocket] {
    let states: UInt32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8
    var found: [ConnectedSocket] = []
    for isTCP in [true, false] {
      let request = diagnose(20, .dump, isTCP: isTCP, states: states, [UInt8](repeating: 0, count: 48), "listing sockets")
      for reply in try ask(request) where reply.body.count >= 52 && reply.body[0] == UInt8(AF_INET) {
        let identity = Array(reply.body[4..<52])
        let ends = ConnectionEnds(
          own: Array(identity[4..<8]), Array(identity[0..<2]), peer: Array(identity[20..<24]), Array(identity[2..<4]))
        found.append(ConnectedSocket(isTCP: isTCP, ends: ends, identity: identity))
      }
    }
    return found
  }

  /// Ends it as if its peer had reset it: whoever has it learns at once. One that is gone is fine.
  package func destroy(_ socket: ConnectedSocket) throws(NetlinkError) {
    let message = diagnose(
      21, .acknowledge, isTCP: socket.isTCP, states: .max, socket.identity, "ending a connection to \(socket.peer)")
    do { try perform(message) } catch  where error.isAbsent {}
  }
}

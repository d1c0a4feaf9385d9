// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Glibc

extension NetlinkSocket {
  /// Forgets tracked connections whose mark, as far as `mask` goes, is `mark`; with `isUnanswered` only those that have not been
  /// confirmed from both sides. Of a `netfilter` socket. A connection that is forgotten begins anew with its next packet.
  package func forgetConnections(mark: UInt32, mask: UInt32, isUnanswered: Bool) throws(NetlinkError) {
    // Without a mark it would forget all.
    guard mask != 0 else { return }
    let deletion: UInt16 = 1 << 8 | 2
    var message = NetlinkMessage(deletion, .acknowledge, name: "forgetting connections with the mark \(mark)") { fixed in
      fixed.write(UInt32(0))
    }
    message.add(8, mark.bigEndian)
    message.add(21, mask.bigEndian)
    let assured: UInt32 = 1 << 2
    if isUnanswered {
      message.add(3, UInt32(0))
      message.add(26, assured.bigEndian)
    }
    do { try perform(message) } catch  where error.isAbsent {}
  }
}

/// A TCP or UDP socket of this host that is connected, as the kernel names it.
package struct ConnectedSocket: Sendable, Hashable {
  package let isTCP: Bool
  package let peer: IPv4Address
  package let peerPort: UInt16
  /// What the kernel knows it by.
  fileprivate let identity: [UInt8]
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
        let peer: UInt32 = NetlinkReply.number(identity[...], at: 20)
        let port: UInt16 = NetlinkReply.number(identity[...], at: 2)
        found.append(
          ConnectedSocket(
            isTCP: isTCP, peer: IPv4Address(bits: UInt32(bigEndian: peer)), peerPort: UInt16(bigEndian: port),
            identity: identity))
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

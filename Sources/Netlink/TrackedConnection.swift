// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Glibc

/// What a connection is between, as whoever began it sees it.
package struct ConnectionEnds: Sendable, Hashable {
  package let own: IPv4Address
  package let ownPort: UInt16
  package let peer: IPv4Address
  package let peerPort: UInt16

  /// From the network's order.
  init(own: [UInt8], _ ownPort: [UInt8], peer: [UInt8], _ peerPort: [UInt8]) {
    self.own = IPv4Address(bits: UInt32(bigEndian: own.number()))
    self.ownPort = UInt16(bigEndian: ownPort.number())
    self.peer = IPv4Address(bits: UInt32(bigEndian: peer.number()))
    self.peerPort = UInt16(bigEndian: peerPort.number())
  }
}

/// A connection that the packet filter knows.
package struct TrackedConnection: Sendable, Hashable {
  package let isTCP: Bool
  /// Before anything was translated.
  package let ends: ConnectionEnds
  /// Who answers: where the connection was translated to.
  package let replier: IPv4Address
  package let mark: UInt32
  /// TCP's, from both sides' first words until the first of both has said its last.
  package let isEstablished: Bool
}

extension NetlinkSocket {
  /// Those whose mark, as far as `mask` goes, is `mark`. Of a `netfilter` socket. Looks through all that is tracked.
  package func connections(mark: UInt32, mask: UInt32) throws(NetlinkError) -> [TrackedConnection] {
    let request = tracking(1, .dump, mark: mark, mask: mask, "listing")
    return try ask(request).compactMap(TrackedConnection.init)
  }
}

extension TrackedConnection {
  fileprivate init?(_ reply: NetlinkReply) {
    let attributes = reply.attributes(after: 4)
    let original = NetlinkReply.attributes(attributes[1] ?? [])
    let (addresses, transport) = (NetlinkReply.attributes(original[1] ?? []), NetlinkReply.attributes(original[2] ?? []))
    guard let mark: UInt32 = attributes[8]?.number(), let own = addresses[1], let peer = addresses[2] else { return nil }
    let reply = NetlinkReply.attributes(NetlinkReply.attributes(attributes[2] ?? [])[1] ?? [])
    replier = IPv4Address(bits: UInt32(bigEndian: (reply[1] ?? []).number()))
    let tcp = NetlinkReply.attributes(NetlinkReply.attributes(attributes[4] ?? [])[1] ?? [])
    isEstablished = tcp[1]?.first == 3
    isTCP = transport[1]?.first == UInt8(IPPROTO_TCP)
    ends = ConnectionEnds(own: own, transport[2] ?? [], peer: peer, transport[3] ?? [])
    self.mark = UInt32(bigEndian: mark)
  }
}

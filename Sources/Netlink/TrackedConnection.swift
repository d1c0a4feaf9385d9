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
  package let mark: UInt32
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
    isTCP = transport[1]?.first == UInt8(IPPROTO_TCP)
    ends = ConnectionEnds(own: own, transport[2] ?? [], peer: peer, transport[3] ?? [])
    self.mark = UInt32(bigEndian: mark)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Whose Ethernet address an IPv4 address is, behind which end of a tunnel an Ethernet address is, or that it is behind the interface as a
/// port of a bridge. None times out.
package enum Neighbour: Sendable, Hashable {
  case address(IPv4Address, HardwareAddress)
  case forwarding(HardwareAddress, to: IPv4Address)
  case behindPort(HardwareAddress)
}

extension NetlinkSocket {
  fileprivate static let permanent: UInt16 = 0x80
  /// Of a bridge's entry: not learned, and not the bridge's own address.
  fileprivate static let fixed: UInt16 = 0x40
  /// The entry is the tunnel's own, or its bridge's.
  fileprivate static let (ofItself, ofBridge): (UInt8, UInt8) = (0x02, 0x04)

  private func message(
    _ type: UInt16, _ flags: NetlinkMessage.Flags, _ family: UInt8, link: Int32, ofBridge: Bool = false, _ name: String
  ) -> NetlinkMessage {
    NetlinkMessage(type, flags, name: name) { fixed in
      fixed.write(UInt32(family))
      fixed.write(link)
      fixed.write(ofBridge ? Self.fixed : Self.permanent)
      fixed.write(ofBridge ? Self.ofBridge : family == 7 ? Self.ofItself : 0)
      fixed.write(UInt8(0))
    }
  }

  private func message(_ type: UInt16, _ flags: NetlinkMessage.Flags, _ entry: Neighbour, link: Int32, _ verb: String)
    -> NetlinkMessage
  {
    switch entry {
    case .address(let address, let hardware):
      var message = message(type, flags, 2, link: link, "\(verb) neighbour \(address) of interface \(link)")
      message.add(1, address.bits.bigEndian)
      message.add(2, hardware.bytes)
      return message
    case .forwarding(let hardware, let end):
      var message = message(type, flags, 7, link: link, "\(verb) the way to \(hardware) by interface \(link)")
      message.add(2, hardware.bytes)
      message.add(1, end.bits.bigEndian)
      return message
    case .behindPort(let hardware):
      var message = message(type, flags, 7, link: link, ofBridge: true, "\(verb) \(hardware) behind port \(link)")
      message.add(2, hardware.bytes)
      return message
    }
  }

  /// In place of one for the same key, if there is one.
  package func put(_ entry: Neighbour, link: Int32) throws(NetlinkError) {
    try perform(message(28, [.acknowledge, .create, .replace], entry, link: link, "adding"))
  }

  /// One that is gone is fine.
  package func remove(_ entry: Neighbour, link: Int32) throws(NetlinkError) {
    do { try perform(message(29, .acknowledge, entry, link: link, "removing")) } catch  where error.isAbsent {}
  }

  /// The entries of a tunnel that were given to it, its bridge's among them.
  package func neighbours(of link: Int32) throws(NetlinkError) -> Set<Neighbour> {
    var found: Set<Neighbour> = []
    for family: UInt8 in [2, 7] {
      // Filtered here as well: older kernels ignore what is asked for.
      var request = message(30, .dump, family, link: link, "listing neighbours of interface \(link)")
      request.add(8, link)
      for reply in try ask(request) where reply.number(at: 4, Int32.self) == link {
        if let entry = Neighbour(reply, family) { found.insert(entry) }
      }
    }
    return found
  }
}

extension Neighbour {
  fileprivate init?(_ reply: NetlinkReply, _ family: UInt8) {
    let attributes = reply.attributes(after: 12)
    let state = reply.number(at: 8, UInt16.self)
    guard let hardware = attributes[2].flatMap(HardwareAddress.init) else { return nil }
    // What names a bridge is the bridge's.
    if family == 7, attributes[9] != nil, state & NetlinkSocket.fixed != 0 {
      self = .behindPort(hardware)
      return
    }
    guard state & NetlinkSocket.permanent != 0, let destination: UInt32 = attributes[1]?.number() else { return nil }
    let address = IPv4Address(bits: UInt32(bigEndian: destination))
    self = family == 2 ? .address(address, hardware) : .forwarding(hardware, to: address)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Glibc

/// A network interface.
package struct Link: Sendable, Hashable {
  package var index: Int32
  package var name: String
  package var isUp: Bool
  package var mtu: UInt32
  /// The bridge it is a port of; 0 for none.
  package var master: Int32
  package var hardwareAddress: HardwareAddress?
  /// Such as `bridge`, `vxlan`; empty for a real one.
  package var kind: String
  package var vxlan: VXLAN?
}

/// The parameters of a tunnel's end. It learns nothing and floods nothing: neighbours and forwarding entries are given to it.
package struct VXLAN: Sendable, Hashable {
  /// VXLAN network identifier.
  package var id: UInt32
  package var local: IPv4Address
  package var port: UInt16
  /// Answers ARP itself, from its neighbours.
  package var answersARP: Bool

  package init(id: UInt32, local: IPv4Address, port: UInt16, answersARP: Bool = false) {
    self.id = id
    self.local = local
    self.port = port
    self.answersARP = answersARP
  }
}

extension NetlinkSocket {
  private static let linkSize = 16

  private func link(_ type: UInt16, _ flags: NetlinkMessage.Flags, index: Int32 = 0, change: UInt32 = 0, _ name: String)
    -> NetlinkMessage
  {
    NetlinkMessage(type, flags, name: name) { fixed in
      fixed.write(UInt32(0))
      fixed.write(index)
      // IFF_UP is the one flag that is ever changed.
      fixed.write(change)
      fixed.write(change)
    }
  }

  package func links() throws(NetlinkError) -> [Link] {
    try ask(link(18, .dump, "listing interfaces")).filter { $0.type == 16 }.map(Link.init)
  }

  /// `nil` when there is none of the name.
  package func link(named name: String) throws(NetlinkError) -> Link? {
    var message = link(18, .acknowledge, "looking for interface \(name)")
    message.add(3, name)
    do { return try ask(message).first { $0.type == 16 }.map(Link.init) } catch  where error.isAbsent { return nil }
  }

  /// Throws when the name is taken.
  package func makeVXLAN(_ name: String, _ vxlan: VXLAN, hardwareAddress: HardwareAddress, mtu: UInt32) throws(NetlinkError) {
    var message = link(16, [.acknowledge, .create, .exclusive], "making tunnel \(name)")
    message.add(3, name)
    message.add(1, hardwareAddress.bytes)
    message.add(4, mtu)
    message.add(18) { info in
      info.add(1, "vxlan")
      info.add(2) { data in
        data.add(1, vxlan.id)
        data.add(4, vxlan.local.bits.bigEndian)
        data.add(7, UInt8(0))
        data.add(11, UInt8(vxlan.answersARP ? 1 : 0))
        data.add(15, vxlan.port.bigEndian)
      }
    }
    try perform(message)
  }

  package func setUp(_ index: Int32, mtu: UInt32? = nil, master: Int32? = nil) throws(NetlinkError) {
    var message = link(16, .acknowledge, index: index, change: UInt32(IFF_UP), "setting up interface \(index)")
    if let mtu { message.add(4, mtu) }
    if let master { message.add(10, master) }
    try perform(message)
  }

  /// As a port of a bridge, it remembers nobody whose packets come in by it.
  package func stopLearning(_ port: Int32) throws(NetlinkError) {
    var message = link(16, .acknowledge, index: port, "making port \(port) learn nothing")
    message.add(18) { info in
      info.add(4, "bridge")
      info.add(5) { data in data.add(8, UInt8(0)) }
    }
    try perform(message)
  }

  /// One that is gone is fine.
  package func removeLink(_ index: Int32) throws(NetlinkError) {
    do { try perform(link(17, .acknowledge, index: index, "removing interface \(index)")) } catch  where error.isAbsent {}
  }
}

extension Link {
  init(_ reply: NetlinkReply) {
    let attributes = reply.attributes(after: 16)
    let info = NetlinkReply.attributes(attributes[18] ?? [])
    let kind = info[1]?.name ?? ""
    self.init(
      index: reply.number(at: 4), name: attributes[3]?.name ?? "", isUp: reply.number(at: 8, UInt32.self) & 1 != 0,
      mtu: attributes[4]?.number() ?? 0, master: attributes[10]?.number() ?? 0,
      hardwareAddress: attributes[1].flatMap(HardwareAddress.init), kind: kind,
      vxlan: kind == "vxlan" ? VXLAN(NetlinkReply.attributes(info[2] ?? [])) : nil)
  }
}

extension VXLAN {
  init(_ attributes: [UInt16: [UInt8]]) {
    let local: UInt32 = attributes[4]?.number() ?? 0
    let port: UInt16 = attributes[15]?.number() ?? 0
    self.init(
      id: attributes[1]?.number() ?? 0, local: IPv4Address(bits: UInt32(bigEndian: local)), port: UInt16(bigEndian: port),
      answersARP: attributes[11]?.first ?? 0 != 0)
  }
}

/// An Ethernet address.
package struct HardwareAddress: Sendable, Hashable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// `nil` unless there are six.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 6 else { return nil }
    self.bytes = bytes
  }

  /// The engine's own form of a container's: `02:42` and its IPv4 address.
  package init(container address: IPv4Address) { bytes = [0x02, 0x42] + Self.octets(address) }

  /// Of a node's end of the tunnel between ingress subnets, after its bridge's address there.
  package init(tunnelEnd address: IPv4Address) { bytes = [0x02, 0x53] + Self.octets(address) }

  /// Of a node's end of an overlay network's tunnel, by the node's number and the tunnel's id. Higher than any other of a bridge's ports:
  /// a bridge without an address of its own takes that of the lowest.
  package init(overlay tunnel: UInt32, node: UInt16) {
    bytes = [0xFE] + NetlinkWriter.bytes(of: node.bigEndian) + NetlinkWriter.bytes(of: tunnel.bigEndian).dropFirst()
  }

  private static func octets(_ address: IPv4Address) -> [UInt8] { NetlinkWriter.bytes(of: address.bits.bigEndian) }

  package var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Policy routing: packets from an interface, with a mark, are looked up in a table.
package struct RoutingRule: Sendable, Hashable {
  package var priority: UInt32
  package var interface: String
  package var mark: UInt32
  package var mask: UInt32
  package var table: UInt32

  package init(priority: UInt32, interface: String, mark: UInt32, mask: UInt32, table: UInt32) {
    self.priority = priority
    self.interface = interface
    self.mark = mark
    self.mask = mask
    self.table = table
  }
}

extension NetlinkSocket {
  private func message(_ type: UInt16, _ flags: NetlinkMessage.Flags, _ rule: RoutingRule, _ verb: String) -> NetlinkMessage {
    var message = NetlinkMessage(type, flags, name: "\(verb) routing rule \(rule.priority) for \(rule.interface)") { fixed in
      // Family IPv4, any address, the table by its attribute, and as the action a look into that table.
      for byte: UInt8 in [2, 0, 0, 0, 0, 0, 0, 1] { fixed.write(byte) }
      fixed.write(UInt32(0))
    }
    message.add(6, rule.priority)
    message.add(15, rule.table)
    message.add(10, rule.mark)
    message.add(16, rule.mask)
    message.add(3, rule.interface)
    return message
  }

  /// One that is there is fine.
  package func put(_ rule: RoutingRule) throws(NetlinkError) {
    do { try perform(message(32, [.acknowledge, .create, .exclusive], rule, "adding")) } catch  where error.isPresent {}
  }

  /// One that is gone is fine.
  package func remove(_ rule: RoutingRule) throws(NetlinkError) {
    do { try perform(message(33, .acknowledge, rule, "removing")) } catch  where error.isAbsent {}
  }

  /// Those of the given priorities that could be ours.
  package func rules(priorities: Set<UInt32>) throws(NetlinkError) -> Set<RoutingRule> {
    let request = NetlinkMessage(34, .dump, name: "listing routing rules") { fixed in
      fixed.write(UInt32(2))
      fixed.write(UInt64(0))
    }
    return Set(try ask(request).compactMap(RoutingRule.init).filter { priorities.contains($0.priority) })
  }

  /// Gives an interface a further address; one that is there is fine.
  package func put(_ address: IPv4Address, prefix: Int, link: Int32) throws(NetlinkError) {
    var message = NetlinkMessage(
      20, [.acknowledge, .create, .replace], name: "giving interface \(link) the address \(address)"
    ) { fixed in
      for byte in [2, UInt8(truncatingIfNeeded: prefix), 0, 0] { fixed.write(byte) }
      fixed.write(link)
    }
    message.add(2, address.bits.bigEndian)
    message.add(1, address.bits.bigEndian)
    try perform(message)
  }

  /// Every IPv4 address of the namespace with the index of its interface.
  package func addresses() throws(NetlinkError) -> [(address: IPv4Address, link: Int32)] {
    let request = NetlinkMessage(22, .dump, name: "listing addresses") { fixed in
      fixed.write(UInt32(2))
      fixed.write(UInt32(0))
    }
    return try ask(request).compactMap { reply in
      let attributes = reply.attributes(after: 8)
      guard reply.type == 20, let bits: UInt32 = (attributes[2] ?? attributes[1])?.number() else { return nil }
      return (IPv4Address(bits: UInt32(bigEndian: bits)), reply.number(at: 4))
    }
  }
}

extension RoutingRule {
  fileprivate init?(_ reply: NetlinkReply) {
    let attributes = reply.attributes(after: 12)
    guard reply.type == 32, let priority = attributes[6], let interface = attributes[3] else { return nil }
    self.init(
      priority: priority.number(), interface: interface.name, mark: attributes[10]?.number() ?? 0,
      mask: attributes[16]?.number() ?? 0, table: attributes[15]?.number() ?? 0)
  }
}

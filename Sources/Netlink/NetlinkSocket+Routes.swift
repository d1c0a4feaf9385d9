// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A route of ours.
package struct Route: Sendable, Hashable {
  /// In the kernel's list, whose routes these are (`ip route` shows it as `proto 83`).
  package static let `protocol`: UInt8 = 83
  package static let mainTable: UInt32 = 254

  package var destination: IPv4Subnet
  package var table: UInt32
  /// `nil`: what goes there is taken for this host's own.
  package var next: Next?

  package struct Next: Sendable, Hashable {
    package var link: Int32
    /// Taken to be on that link, whatever its addresses say.
    package var gateway: IPv4Address
    /// Where this host's own packets there come from, unless they say.
    package var source: IPv4Address?

    package init(link: Int32, gateway: IPv4Address, source: IPv4Address? = nil) {
      self.link = link
      self.gateway = gateway
      self.source = source
    }
  }

  package init(to destination: IPv4Subnet, table: UInt32 = Route.mainTable, by next: Next?) {
    self.destination = destination
    self.table = table
    self.next = next
  }
}

extension NetlinkSocket {
  private func message(_ type: UInt16, _ flags: NetlinkMessage.Flags, _ route: Route, _ verb: String) -> NetlinkMessage {
    let onLink: UInt32 = 4
    let (universe, host, unicast, local): (UInt8, UInt8, UInt8, UInt8) = (0, 254, 1, 2)
    let isLocal = route.next == nil
    var message = NetlinkMessage(type, flags, name: "\(verb) route to \(route.destination) in table \(route.table)") { fixed in
      for byte in [
        2, UInt8(truncatingIfNeeded: route.destination.prefix), 0, 0, 0, Route.protocol, isLocal ? host : universe,
        isLocal ? local : unicast,
      ] { fixed.write(byte) }
      fixed.write(isLocal ? UInt32(0) : onLink)
    }
    message.add(15, route.table)
    if route.destination.prefix > 0 { message.add(1, route.destination.base.bits.bigEndian) }
    // The loopback interface is the first of each namespace.
    message.add(4, route.next?.link ?? 1)
    if let gateway = route.next?.gateway { message.add(5, gateway.bits.bigEndian) }
    if let source = route.next?.source { message.add(7, source.bits.bigEndian) }
    return message
  }

  package func put(_ route: Route) throws(NetlinkError) {
    try perform(message(24, [.acknowledge, .create, .replace], route, "adding"))
  }

  /// One that is gone is fine.
  package func remove(_ route: Route) throws(NetlinkError) {
    do { try perform(message(25, .acknowledge, route, "removing")) } catch  where error.isAbsent {}
  }

  /// Those of `Route.protocol`, in all tables.
  package func routes() throws(NetlinkError) -> Set<Route> {
    let request = NetlinkMessage(26, .dump, name: "listing routes") { fixed in
      fixed.write(UInt32(2))
      fixed.write(UInt64(0))
    }
    return Set(try ask(request).compactMap(Route.init))
  }
}

extension Route {
  fileprivate init?(_ reply: NetlinkReply) {
    guard reply.type == 24, reply.number(at: 0, UInt8.self) == 2, reply.number(at: 5, UInt8.self) == Route.protocol else {
      return nil
    }
    let attributes = reply.attributes(after: 12)
    let address = { (type: UInt16) in
      attributes[type].map { IPv4Address(bits: UInt32(bigEndian: $0.number())) }
    }
    let next = address(5).map { Next(link: attributes[4]?.number() ?? 0, gateway: $0, source: address(7)) }
    self.init(
      to: IPv4Subnet(base: address(1) ?? IPv4Address(bits: 0), prefix: Int(reply.number(at: 1, UInt8.self))),
      table: attributes[15]?.number() ?? 0, by: next)
  }
}

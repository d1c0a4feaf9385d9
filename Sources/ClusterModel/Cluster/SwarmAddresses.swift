// SPDX-License-Identifier: Apache-2.0

/// An address of this host that could be advertised.
package struct SystemAddress: Sendable, Hashable {
  package var interface: String
  /// Without prefix length: `10.0.0.2`, `fd00::2`.
  package var address: String
  /// On a loopback interface, or link-local.
  package var isLocal: Bool
  /// On a bridge of the engine or of Skep.
  package var isBridge: Bool
  /// The operator of this host wants another to be advertised.
  package var isOutranked = false

  package init(interface: String, address: String, isLocal: Bool = false, isBridge: Bool = false) {
    self.interface = interface
    self.address = address
    self.isLocal = isLocal
    self.isBridge = isBridge
  }

  var isIPv4: Bool { IPv4Address(address) != nil }
}

/// Where a manager listens and what it tells others, chosen from what the user gave and from the host's addresses.
package struct SwarmAddresses: Sendable, Hashable {
  package let listenHost: String
  package let port: UInt16
  package let advertiseHost: String
  package let advertisePort: UInt16
  /// Without a port; the advertised host unless given.
  package let dataPathHost: String

  package static let defaultPort: UInt16 = 2_377

  package init(
    listen: String, advertise: String, dataPath: String, system: [SystemAddress]
  ) throws(SpecError) {
    let host = SwarmHost(system: system)
    guard !listen.isEmpty else { throw SpecError("invalid ListenAddr \"\": invalid empty address") }
    let badListen = SpecError("listen address must be an IP address or network interface (with optional port number)")
    let (listenName, listenPort) = try Self.split(listen, defaultPort: Self.defaultPort, badListen)
    listenHost = try host.resolve(listenName, allowsUnspecified: true, badListen)
    port = listenPort
    if advertise.isEmpty {
      advertiseHost = SwarmHost.isUnspecified(listenHost) ? try host.chosenAddress() : listenHost
      advertisePort = listenPort
    } else {
      let bad = SpecError("advertise address must be a non-zero IP address or network interface (with optional port number)")
      let (name, port) = try Self.split(advertise, defaultPort: listenPort, bad)
      advertiseHost = try host.resolve(name, allowsUnspecified: false, bad)
      advertisePort = port
      try host.checkLocalAddress(listen: listenHost, advertise: advertiseHost)
    }
    let badData = SpecError("data path address must be a non-zero IP address or network interface (without a port number)")
    dataPathHost = dataPath.isEmpty ? advertiseHost : try host.resolve(dataPath, allowsUnspecified: false, badData)
  }

  /// `host`, `host:port` or `[v6]:port`; the scheme `tcp://` is dropped.
  private static func split(
    _ text: String, defaultPort: UInt16, _ error: SpecError
  ) throws(SpecError) -> (String, UInt16) {
    let text = text.hasPrefix("tcp://") ? text.dropFirst(6) : text[...]
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { throw error }
      let host = String(text[text.index(after: text.startIndex)..<close])
      let rest = text[text.index(after: close)...]
      if rest.isEmpty { return (host, defaultPort) }
      guard rest.first == ":", let port = UInt16(rest.dropFirst()) else { throw error }
      return (host, port == 0 ? defaultPort : port)
    }
    guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return (String(text), defaultPort) }
    guard let port = UInt16(text[text.index(after: colon)...]) else { throw error }
    return (String(text[..<colon]), port == 0 ? defaultPort : port)
  }
}

/// What can be answered from a host's list of addresses.
struct SwarmHost {
  let system: [SystemAddress]

  static func isUnspecified(_ address: String) -> Bool { ["", "0.0.0.0", "::"].contains(address) }

  /// An interface's single address, or the address itself.
  func resolve(_ name: String, allowsUnspecified: Bool, _ error: SpecError) throws(SpecError) -> String {
    let all = system.filter { $0.interface == name }
    let addresses = all.contains { !$0.isOutranked } ? all.filter { !$0.isOutranked } : all
    guard addresses.isEmpty else { return try address(of: name, addresses) }
    if Self.isUnspecified(name), allowsUnspecified { return name.isEmpty ? "0.0.0.0" : name }
    guard !Self.isUnspecified(name), IPv4Address(name) != nil || Self.isIPv6(name) else { throw error }
    return name
  }

  private func address(of name: String, _ addresses: [SystemAddress]) throws(SpecError) -> String {
    for (family, isIPv4) in [("IPv4", true), ("IPv6", false)] {
      let usable = addresses.filter { $0.isIPv4 == isIPv4 }
      if usable.count > 1 {
        throw SpecError(
          "interface \(name) has more than one \(family) address (\(usable[0].address) and \(usable[1].address))")
      }
      if let only = usable.first { return only.address }
    }
    throw SpecError("interface \(name) has no usable IPv4 or IPv6 address")
  }

  /// The one address of this host that others can reach; IPv4 counts first.
  func chosenAddress() throws(SpecError) -> String {
    let usable = system.filter { !$0.isLocal && !$0.isBridge && !$0.isOutranked }
    let candidates = usable.contains(where: \.isIPv4) ? usable.filter(\.isIPv4) : usable
    guard let first = candidates.first else { throw SpecError("could not find the system's IP address") }
    guard candidates.count > 1 else { return first.address }
    let second = candidates[1]
    let text = "could not choose an IP address to advertise since this system has multiple addresses on "
    if first.interface == second.interface {
      throw SpecError(text + "interface \(first.interface) (\(first.address) and \(second.address))")
    }
    throw SpecError(
      text + "different interfaces (\(first.address) on \(first.interface) and \(second.address) on \(second.interface))")
  }

  /// With an advertised address that is not this host's own, it must still be clear where to listen.
  func checkLocalAddress(listen: String, advertise: String) throws(SpecError) {
    guard Self.isUnspecified(listen), !system.contains(where: { $0.address == advertise }) else { return }
    do { _ = try chosenAddress() } catch {
      throw SpecError(
        "must specify a listening address because the address to advertise is not recognized as a system address, "
          + "and a system's IP address to use could not be uniquely identified")
    }
  }

  private static func isIPv6(_ text: String) -> Bool {
    text.utf8.count(where: { $0 == 0x3A }) >= 2
      && text.utf8.allSatisfy { $0 == 0x3A || $0 == 0x2E || Character(Unicode.Scalar($0)).isHexDigit }
  }
}

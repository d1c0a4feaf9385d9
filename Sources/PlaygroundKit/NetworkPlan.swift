// SPDX-License-Identifier: Apache-2.0

/// The commands that make the playground's network: a bridge in a namespace of its own, and a namespace per host joined to it.
/// The machine's own network namespace gets nothing.
struct NetworkPlan: Equatable {
  let layout: Layout

  func makeSwitch() -> [Command] {
    let space = layout.switchNamespace
    return [
      ip(["netns", "add", space]),
      ip(["-n", space, "link", "set", "lo", "up"]),
      ip(["-n", space, "link", "add", "name", "switch", "type", "bridge"]),
      ip(["-n", space, "link", "set", "switch", "up"]),
    ]
  }

  /// The host's link comes up last: a link that is up says that nothing before it is missing.
  func makeHost(_ name: String, address: String) -> [Command] {
    let space = layout.namespace(of: name)
    let bridge = layout.switchNamespace
    return [
      ip(["netns", "add", space]),
      ip(["-n", bridge, "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", space]),
      ip(["-n", bridge, "link", "set", name, "master", "switch", "up"]),
      Command("nsenter", ["--net=/run/netns/\(space)", "--", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]),
      ip(["-n", space, "link", "set", "lo", "up"]),
      // A host keeps its network card over a power cut: others need not find it anew.
      ip(["-n", space, "link", "set", "eth0", "address", Self.hardwareAddress(address)]),
      ip(["-n", space, "address", "add", "\(address)/24", "dev", "eth0"]),
      ip(["-n", space, "link", "set", "eth0", "up"]),
    ]
  }

  /// A locally administered one that holds the IPv4 address.
  static func hardwareAddress(_ address: String) -> String {
    let bytes = address.split(separator: ".").compactMap { UInt8($0) }
    return (["02", "73"] + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }).joined(separator: ":")
  }

  /// Clears away what an interrupted `makeHost` left; commands may fail.
  func removeHost(_ name: String) -> [Command] {
    [
      ip(["-n", layout.switchNamespace, "link", "delete", name]),
      ip(["netns", "delete", layout.namespace(of: name)]),
    ]
  }

  /// Pulls the host's cable, or plugs it in again: the host itself keeps a link that is up, as behind a broken switch.
  func connect(_ name: String, _ isConnected: Bool) -> Command {
    let options = isConnected ? ["up"] : ["nomaster"]
    return ip(["-n", layout.switchNamespace, "link", "set", name] + (isConnected ? ["master", "switch"] : []) + options)
  }

  func removeSwitch() -> Command { ip(["netns", "delete", layout.switchNamespace]) }

  /// Prints something if and only if the switch is complete.
  func switchIsUp() -> Command { ip(["-n", layout.switchNamespace, "-o", "link", "show", "dev", "switch", "up"]) }

  /// Prints something if and only if the host's link is complete.
  func hostIsUp(_ name: String) -> Command { ip(["-n", layout.namespace(of: name), "-o", "link", "show", "dev", "eth0", "up"]) }

  private func ip(_ arguments: [String]) -> Command { Command("ip", arguments) }
}

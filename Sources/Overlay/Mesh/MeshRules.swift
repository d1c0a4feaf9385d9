// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Netlink

/// The packet filter's part of the mesh.
struct MeshRules: Sendable {
  static let table = "skep-mesh"

  let plan: MeshPlan

  private var peers: [Peer] { plan.mesh.peers }

  /// One transaction for libnftables. Whatever the table held before is gone.
  var commands: String {
    """
    table ip \(Self.table)
    delete table ip \(Self.table)
    table ip \(Self.table) {
    \(chains.joined(separator: "\n"))
    }
    """
  }

  private var chains: [String] {
    [
      chain("arrival", "type filter hook prerouting priority raw", tunnelIn + zones),
      chain("departure", "type filter hook output priority raw", tunnelOut),
      chain("answers", "type filter hook prerouting priority -149", answers),
      chain("forward", "type filter hook forward priority filter - 5", clamps + [guardOfBridge, guardOfTunnel]),
      // Without it nothing looks for a free port where two zones' connections would answer to the same one.
      chain("ports", "type nat hook postrouting priority srcnat", []),
    ]
  }

  private func chain(_ name: String, _ hook: String, _ rules: [String]) -> String {
    (["  chain \(name) {", "    \(hook); policy accept;"] + rules.map { "    " + $0 } + ["  }"]).joined(separator: "\n")
  }

  /// The tunnel is the cluster's own; tracking its outer packets would cost an entry for each connection.
  private var tunnelIn: [String] {
    let port = plan.mesh.port
    let foreign = peers.isEmpty ? "" : "ip saddr != { \(list(peers.map { "\($0.address)" })) } "
    return [
      "udp dport \(port) fib daddr type local \(foreign)drop", "udp dport \(port) fib daddr type local notrack",
    ]
  }

  private var tunnelOut: [String] {
    peers.isEmpty ? [] : ["udp dport \(plan.mesh.port) ip daddr { \(list(peers.map { "\($0.address)" })) } notrack"]
  }

  private var zones: [String] {
    guard !peers.isEmpty else { return [] }
    let elements = peers.map { "\(MeshPlan.hardwareAddress(of: $0)) : \($0.number)" }
    return ["iifname \"\(MeshPlan.device)\" ct original zone set ether saddr map { \(list(elements)) }"]
  }

  private var answers: [String] {
    guard !peers.isEmpty else { return [] }
    let elements = peers.map { "\($0.number) : 0x\(String(MeshPlan.mark(of: $0), radix: 16))" }
    return ["iifname \"\(plan.bridge)\" ct direction reply meta mark set ct original zone map { \(list(elements)) }"]
  }

  /// Where ICMP is filtered, nobody tells a sender that the tunnel takes less. Each host does so for what it sends into it.
  private var clamps: [String] {
    ["oifname \"\(MeshPlan.device)\" tcp flags & (fin|syn|rst) == syn tcp option maxseg size set rt mtu"]
  }

  /// From engine 28 on, the bridge is made so that the engine lets everything in.
  private var guardOfBridge: String {
    "oifname \"\(plan.bridge)\" iifname != { \"\(plan.bridge)\", \"\(MeshPlan.device)\" } \(Self.dropOfStrangers)"
  }

  /// The engine lets its other networks' containers go anywhere. To a task on another host they come by a published port alone.
  private var guardOfTunnel: String { "oifname \"\(MeshPlan.device)\" iifname != \"\(plan.bridge)\" \(Self.dropOfStrangers)" }

  /// All that begins here and was not let in by a published port.
  private static let dropOfStrangers = "ct state new ct mark & 0x\(String(OffloadMark.bit, radix: 16)) == 0 drop"

  private func list(_ elements: [String]) -> String { elements.joined(separator: ", ") }
}

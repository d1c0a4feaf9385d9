// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Glibc
import Netlink

@testable import Overlay

/// Two hosts with a cable between, at 10.77.0.1 and 10.77.0.2, that forward, and containers on them.
///
/// For one thread, which has been in a namespace of its own before.
final class HostPair {
  static let peers = [peer(1), peer(2)]

  let hosts: [Int32]
  private var containers: [Int32] = []

  init() throws {
    hosts = [try TestNetwork.make(), try TestNetwork.make()]
    try TestNetwork.cable("wire", hosts[0], "wire", hosts[1])
    for host in 0...1 {
      try on(host) {
        try TestNetwork.shell("ip address add 10.77.0.\(host + 1)/24 dev wire && ip route add default via 10.77.0.\(2 - host)")
        try TestNetwork.shell("echo 1 > /proc/sys/net/ipv4/ip_forward")
      }
    }
  }

  deinit { for descriptor in hosts + containers { close(descriptor) } }

  static func peer(_ number: UInt16) -> Peer {
    Peer(
      nodeID: "n\(number)", number: number, address: IPv4Address(bits: 0x0A4D_0000 + UInt32(number)),
      subnet: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000 + UInt32(number - 1) << 8), prefix: 24))
  }

  /// As a host sees it.
  static func mesh(of host: Int) -> Mesh {
    Mesh(
      own: peers[host], peers: [peers[1 - host]], pool: IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 16), port: 4_789)
  }

  func on<Value>(_ host: Int, _ body: () throws -> Value) throws -> Value { try TestNetwork.inside(hosts[host], body) }

  func bridge(_ name: String, _ address: String, on host: Int) throws {
    try on(host) {
      try TestNetwork.shell("ip link add \(name) type bridge && ip address add \(address) dev \(name) && ip link set \(name) up")
    }
  }

  /// As the engine makes one: by its address, in a network of 24 bits, with the first one there as its gateway.
  func container(_ address: String, bridge: String, on host: Int) throws -> Int32 {
    let network = try TestNetwork.make()
    containers.append(network)
    let (name, bits) = ("v\(containers.count)", IPv4Address(address) ?? .loopback)
    // As the engine's: it says nothing unless it is asked.
    try TestNetwork.inside(network) { try TestNetwork.shell("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6") }
    let settings = "address \(HardwareAddress(container: bits)) mtu 1450"
    try TestNetwork.cable(name, hosts[host], "eth0", network, settings)
    try on(host) { try TestNetwork.shell("ip link set \(name) master \(bridge)") }
    let gateway = IPv4Address(bits: bits.bits & ~0xFF | 1)
    try TestNetwork.inside(network) {
      try TestNetwork.shell("ip address add \(address)/24 dev eth0 && ip route add default via \(gateway)")
      // Who does not answer is given up soon.
      try TestNetwork.shell("echo 50 > /proc/sys/net/ipv4/neigh/eth0/retrans_time_ms")
    }
    return network
  }

  /// A host outside at 192.0.2.9, beside the first host, which is 192.0.2.1 there.
  func client() throws -> Int32 {
    let network = try TestNetwork.make()
    containers.append(network)
    try TestNetwork.cable("out", hosts[0], "eth0", network)
    try on(0) { try TestNetwork.shell("ip address add 192.0.2.1/24 dev out") }
    try TestNetwork.inside(network) { try TestNetwork.shell("ip address add 192.0.2.9/24 dev eth0") }
    return network
  }

  /// So many packets have come out of an interface on a host.
  func received(_ name: String, on host: Int) throws -> Int? {
    try on(host) {
      let text = try String(contentsOfFile: "/proc/thread-self/net/dev", encoding: .utf8)
      let line = text.split(separator: "\n").first { $0.trimmingPrefix(while: \.isWhitespace).hasPrefix("\(name):") }
      return line.flatMap { Int($0.split { " :".contains($0) }[2]) }
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Gives a new overlay network its subnet and its number, in the transaction that stores it. Unlike swarm, which stores a network that
/// it cannot allocate and leaves its tasks waiting, what cannot be given is refused.
package enum NetworkAllocator {
  /// Of VXLAN's 24 bits; the mesh of hosts has the one before.
  private static let tunnels: ClosedRange<UInt32> = 4_097...16_777_214

  /// Throws in swarm's words when an address asked for is none, and in the engine's when there is no room.
  package static func network(
    id: String, _ spec: NetworkSpec, now: Timestamp, in transaction: borrowing Transaction
  ) throws(SpecError) -> Network {
    let wanted = try AddressWish(spec.pool)
    let others = transaction.networks
    let subnet: IPv4Subnet
    if let asked = wanted.subnet {
      try check(asked, others, transaction)
      subnet = asked
    } else {
      subnet = try free(others, transaction)
    }
    let used = Set(others.map(\.tunnel))
    guard let tunnel = tunnels.first(where: { !used.contains($0) }) else {
      throw .failedPrecondition("all numbers of overlay networks are taken")
    }
    let gateway = wanted.gateway ?? subnet.gateway
    return Network(
      id: id, spec: spec, createdAt: now, tunnel: tunnel, subnet: subnet, gateway: gateway, range: wanted.range ?? subnet)
  }

  private static func check(
    _ subnet: IPv4Subnet, _ others: [Network], _ transaction: borrowing Transaction
  ) throws(SpecError) {
    let ingress = transaction.cluster.map { [("network ingress", $0.ingressPool)] } ?? []
    let taken =
      others.map { ("network \($0.name)", $0.subnet) } + ingress
      + hosts(transaction).map { ("a host of the cluster", $0) }
    guard let (owner, other) = taken.first(where: { $0.1.overlaps(subnet) }) else { return }
    throw SpecError(
      status: 403,
      "invalid pool request: Pool overlaps with other one on this address space: \(subnet) with \(other) of \(owner)")
  }

  /// On a host with a network around another's address, that one could not be reached any more.
  private static func hosts(_ transaction: borrowing Transaction) -> [IPv4Subnet] {
    let addresses = transaction.nodes.flatMap { [IPv4Address($0.status.addr), $0.tunnelAddress] }
    return Set(addresses.compactMap { $0 }).map { IPv4Subnet(base: $0, prefix: 32) }
  }

  /// The lowest free part of the cluster's pools, of the size that the swarm was made with.
  private static func free(_ others: [Network], _ transaction: borrowing Transaction) throws(SpecError) -> IPv4Subnet {
    guard let cluster = transaction.cluster else { throw .failedPrecondition("there is no cluster") }
    let taken = others.map(\.subnet) + [cluster.ingressPool] + hosts(transaction)
    for pool in cluster.defaultAddrPool.compactMap({ IPv4Subnet($0) }) {
      if let subnet = free(in: pool, prefix: max(cluster.subnetSize, pool.prefix), besides: taken) { return subnet }
    }
    throw .failedPrecondition(
      "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network")
  }

  private static func free(in pool: IPv4Subnet, prefix: Int, besides taken: [IPv4Subnet]) -> IPv4Subnet? {
    var base = UInt64(pool.base.bits)
    while base <= UInt64(pool.last.bits) {
      let candidate = IPv4Subnet(base: IPv4Address(bits: UInt32(base)), prefix: prefix)
      // Past all of what is in the way: it may be larger.
      guard let other = taken.first(where: candidate.overlaps) else { return candidate }
      base = UInt64(max(other.last.bits, candidate.last.bits)) + 1
    }
    return nil
  }
}

/// What of a network's addresses a user chooses, checked.
package struct AddressWish: Sendable, Hashable {
  package let subnet: IPv4Subnet?
  package let range: IPv4Subnet?
  package let gateway: IPv4Address?

  /// Throws in the words of swarm's control plane.
  package init(_ pool: NetworkSpec.Pool) throws(SpecError) {
    (subnet, range, gateway) = (try Self.subnet(pool.subnet), try Self.range(pool.range), try Self.gateway(pool.gateway))
    guard let subnet else {
      guard range == nil, gateway == nil else {
        throw .invalidArgument("ipam configuration: a range or a gateway needs a subnet")
      }
      return
    }
    guard subnet.prefix <= 30 else { throw .invalidArgument("ipam configuration: subnet \(subnet) has no room for containers") }
    if let range, !subnet.contains(range.base) || range.prefix < subnet.prefix {
      throw .invalidArgument("ipam configuration: subnet \(subnet) does not contain range \(range)")
    }
    if let gateway, !subnet.contains(gateway) {
      throw .invalidArgument("ipam configuration: subnet \(subnet) does not contain gateway \(gateway)")
    }
  }

  private static func subnet(_ text: String?) throws(SpecError) -> IPv4Subnet? {
    guard let text, !text.isEmpty else { return nil }
    guard let subnet = IPv4Subnet(text) else { throw .invalidArgument("ipam configuration: invalid subnet \(text)") }
    return subnet
  }

  private static func range(_ text: String?) throws(SpecError) -> IPv4Subnet? {
    guard let text, !text.isEmpty else { return nil }
    guard let range = IPv4Subnet(text) else { throw .invalidArgument("ipam configuration: invalid range \(text)") }
    return range
  }

  private static func gateway(_ text: String?) throws(SpecError) -> IPv4Address? {
    guard let text, !text.isEmpty else { return nil }
    guard let address = IPv4Address(text) else { throw .invalidArgument("ipam configuration: invalid gateway \(text)") }
    return address
  }
}

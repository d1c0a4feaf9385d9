// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Gives services their published ports and nodes their part of the ingress pool. Everything given is in the store, so nothing is
/// remembered here.
enum Allocator {
  /// Swarm's range for ports that the user left open.
  static let dynamicPorts: ClosedRange<UInt32> = 30_000...32_767

  /// Writes the endpoint that belongs to the service's present spec. Returns the service, or `nil` while no port or no address is free.
  static func allocate(_ service: Service, in transaction: inout Transaction) -> Service? {
    let spec = service.spec.endpointSpec ?? EndpointSpec()
    let networks = service.spec.networksForAddresses.filter { transaction.network($0) != nil }
    if let endpoint = service.endpoint, endpoint.spec == spec, (endpoint.virtualIPs ?? []).map(\.networkID) == networks {
      return service
    }
    var ports: [PortConfig] = []
    for var port in spec.ports ?? [] {
      port.protocol = port.transport
      port.publishMode = port.isIngress ? "ingress" : port.publishMode
      if port.isIngress, (port.publishedPort ?? 0) == 0 {
        guard let free = freePort(for: port, of: service, besides: ports + (spec.ports ?? []), transaction) else { return nil }
        port.publishedPort = free
      }
      ports.append(port)
    }
    var service = service
    let needsAddress = ports.contains(where: \.isIngress)
    let address = needsAddress ? service.endpoint?.virtualIP ?? freeAddress(in: transaction) : nil
    guard let virtualIPs = virtualIPs(of: service, on: networks, transaction) else { return nil }
    service.endpoint = Service.Endpoint(spec: spec, ports: ports, virtualIP: address, virtualIPs: virtualIPs)
    transaction.put(service)
    return service
  }

  /// Those it has stay.
  private static func virtualIPs(
    of service: Service, on networks: [String], _ transaction: borrowing Transaction
  ) -> [NetworkAddress]? {
    var given: [NetworkAddress] = []
    for id in networks {
      if let known = service.endpoint?.virtualIPs?.first(where: { $0.networkID == id }) {
        given.append(known)
      } else {
        guard let network = transaction.network(id), let address = transaction.addresses[id].next(in: network) else { return nil }
        given.append(NetworkAddress(networkID: id, address: address))
      }
    }
    return given
  }

  /// The port it had before for the same name, protocol and target, else the lowest free one. `others` are the service's own that
  /// have been given already or that the spec names: neither may be given to a port that it leaves open.
  private static func freePort(
    for port: PortConfig, of service: Service, besides others: [PortConfig], _ transaction: borrowing Transaction
  ) -> UInt32? {
    let same = service.endpoint?.ports.first {
      $0.name == port.name && $0.transport == port.transport && $0.targetPort == port.targetPort && $0.isIngress
    }
    let candidates = [same?.publishedPort].compactMap { $0 } + Array(dynamicPorts)
    let given = Set(others.compactMap(PublishedPort.init))
    for number in candidates {
      let candidate = PublishedPort(transport: port.transport, number: number)
      if !given.contains(candidate), !transaction.isPublished(candidate, besides: service.id) { return number }
    }
    return nil
  }

  /// The highest address of the ingress pool that is neither a service's nor in a node's subnet: those grow from the other end.
  private static func freeAddress(in transaction: borrowing Transaction) -> IPv4Address? {
    guard let pool = transaction.cluster?.ingressPool else { return nil }
    let subnets = transaction.nodes.compactMap(\.ingressSubnet)
    var candidate = IPv4Address(bits: pool.last.bits &- 1)
    while pool.contains(candidate), candidate > pool.gateway {
      if let subnet = subnets.first(where: { $0.contains(candidate) }) {
        candidate = IPv4Address(bits: subnet.base.bits &- 1)
      } else if transaction.isTaken(candidate) {
        candidate = IPv4Address(bits: candidate.bits - 1)
      } else {
        return candidate
      }
    }
    return nil
  }

  /// Gives nodes without one the lowest free subnets of the ingress pool, of the size that the swarm was made with.
  static func allocateIngressSubnets(in transaction: inout Transaction) {
    let nodes = transaction.nodes
    guard let cluster = transaction.cluster, nodes.contains(where: { $0.ingressSubnet == nil }) else { return }
    let pool = cluster.ingressPool
    let prefix = min(max(cluster.subnetSize, pool.prefix), 29)
    let used = Set(nodes.compactMap { $0.ingressSubnet?.base.bits })
    let services = transaction.services.compactMap { $0.endpoint?.virtualIP }
    var free = stride(from: pool.base.bits, through: pool.last.bits, by: 1 << (32 - prefix)).lazy
      .filter { !used.contains($0) }.map { IPv4Subnet(base: IPv4Address(bits: $0), prefix: prefix) }
      .filter { subnet in !services.contains(where: subnet.contains) }.makeIterator()
    for var node in nodes where node.ingressSubnet == nil {
      guard let subnet = free.next() else { return }
      node.ingressSubnet = subnet
      transaction.put(node)
    }
  }
}

extension ServiceSpec {
  /// The networks that the service has an address of its own on, if they are overlay networks.
  fileprivate var networksForAddresses: [String] {
    endpointSpec?.mode == "dnsrr" ? [] : (taskTemplate.networks ?? []).compactMap(\.target)
  }
}

/// Hands out the addresses of a node's ingress subnet, next after last, so that an address just released is not used again soon.
enum AddressAllocator {
  static func next(on info: NodeInfo) -> IPv4Address? {
    guard let subnet = info.node.ingressSubnet else { return nil }
    let first = subnet.gateway.bits + 1
    let last = subnet.last.bits - 1
    guard first <= last else { return nil }
    let start = max(info.lastAddress.map { $0 + 1 } ?? first, first)
    let isFree: (UInt32) -> Bool = { !info.usedAddresses.contains($0) }
    let free =
      start <= last
      ? (start...last).first(where: isFree) ?? (first..<start).first(where: isFree) : (first...last).first(where: isFree)
    return free.map { IPv4Address(bits: $0) }
  }
}

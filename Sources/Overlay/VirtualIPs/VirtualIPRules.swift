// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel

/// What a container's own network namespace makes of services' addresses: a new connection to one goes to one of the service's endpoints,
/// before it has left the container.
///
/// Only what opens a TCP connection is looked at: what belongs to one that was forgotten is refused, so that its client learns at once.
package struct VirtualIPRules: Sendable, Hashable {
  static let table = "skep"

  struct Service: Sendable, Hashable {
    let address: IPv4Address
    let strategy: Strategy
    /// In the order in which they are taken.
    let endpoints: [IPv4Address]

    var chain: String { "service-\(address)" }
  }

  /// By address.
  let services: [IPv4Address: Service]
  /// Of the networks: all endpoints are in them.
  let subnets: [IPv4Subnet]
  /// Every container on the networks: those that drain too.
  let known: Set<IPv4Address>

  /// - Parameters:
  ///   - networks: those with an endpoint of another container are left out.
  ///   - container: the endpoints' id.
  ///   - seed: differs from container to container, so that the first connections of all do not go to one endpoint.
  package init(_ networks: [OverlayNetwork], container: String, seed: UInt64) {
    var services: [IPv4Address: Service] = [:]
    let own = networks.compactMap { network in
      network.endpoints.first { $0.id == container }.map { (network: network, address: $0.address) }
    }
    for (network, address) in own {
      for service in network.services {
        guard let virtualIP = service.virtualIP else { continue }
        // With a hash of clients' addresses, what this one gets must not depend on anything but its own.
        let seed = service.strategy == .ipHash ? UInt64(address.bits) : seed
        services[virtualIP] = Service(
          address: virtualIP, strategy: service.strategy, endpoints: Self.order(service.endpoints, seed: seed))
      }
    }
    self.services = services
    subnets = own.map(\.network.subnet).sorted { $0.base < $1.base }
    known = Set(own.flatMap { $0.network.endpoints.map(\.address) })
  }

  /// Those that come or go change nothing for the others (rendezvous hashing).
  static func order(_ endpoints: [IPv4Address], seed: UInt64) -> [IPv4Address] {
    endpoints.map { (mix(mix(seed) ^ UInt64($0.bits)), $0) }.sorted { $0 < $1 }.map(\.1)
  }

  /// The finalizer of SplitMix64 (Steele et al., OOPSLA 2014).
  private static func mix(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}

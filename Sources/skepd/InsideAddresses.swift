// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import EngineClient

/// This host's own addresses and its containers', and those of the cluster: clients there are told apart by them.
enum InsideAddresses {
  static func all(_ engine: any Engine, _ mesh: Mesh?) async throws -> [IPv4Subnet] {
    let peers = (mesh?.peers ?? []).flatMap { [$0.address, $0.other] }.compactMap { $0 }
    let cluster = mesh.map { [$0.pool] + peers.map { IPv4Subnet(base: $0, prefix: 32) } } ?? []
    let own = try HostAddresses.all().compactMap { IPv4Address($0.address) }.map { IPv4Subnet(base: $0, prefix: 32) }
    let bridges = try await engine.networks(filters: ["driver": ["bridge"]])
    let pools = bridges.flatMap(\.value.ipam.config).compactMap { IPv4Subnet($0.subnet) }
    return own + pools + cluster + [IPv4Subnet(base: .loopback, prefix: 8)]
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// This host's own addresses and its containers': clients there are told apart by them.
enum InsideAddresses {
  static func all(_ engine: any Engine) async throws -> [IPv4Subnet] {
    let own = try HostAddresses.all().compactMap { IPv4Address($0.address) }.map { IPv4Subnet(base: $0, prefix: 32) }
    let bridges = try await engine.networks(filters: ["driver": ["bridge"]])
    let pools = bridges.flatMap(\.value.ipam.config).compactMap { IPv4Subnet($0.subnet) }
    return own + pools + [IPv4Subnet(base: .loopback, prefix: 8)]
  }
}

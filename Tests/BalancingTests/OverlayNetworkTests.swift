// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Balancing

@Suite("An overlay network")
struct OverlayNetworkTests {
  private static func address(_ number: UInt32) -> IPv4Address { IPv4Address(bits: 0x0A01_0000 + number) }

  /// Endpoints 1 to 4 on nodes n1, n1, n2, n3; a service of 1, 2 and 3, and one of 4.
  private static let network = OverlayNetwork(
    id: "net", name: "back", tunnel: 4_097, subnet: IPv4Subnet(base: address(0), prefix: 24), gateway: address(254),
    endpoints: zip(1..., ["n1", "n1", "n2", "n3"]).map { number, node in
      OverlayEndpoint(id: "t\(number)", names: [], address: address(UInt32(number)), nodeID: node)
    },
    services: [
      OverlayService(
        id: "a", names: ["a"], virtualIP: nil, strategy: .roundRobin, endpoints: [address(1), address(2), address(3)]),
      OverlayService(id: "b", names: ["b"], virtualIP: nil, strategy: .roundRobin, endpoints: [address(4)]),
    ])

  @Test(
    "leaves out nodes that do not answer, but never a service's last endpoints",
    arguments: [
      ([], [[1, 2, 3], [4]], [1, 2, 3, 4]), (["n1"], [[3], [4]], [3, 4]), (["n2", "n3"], [[1, 2], [4]], [1, 2, 4]),
      (["n1", "n2", "n3"], [[1, 2, 3], [4]], [1, 2, 3, 4]), (["n9"], [[1, 2, 3], [4]], [1, 2, 3, 4]),
    ] as [(Set<String>, [[UInt32]], [UInt32])])
  func leavingOut(nodes: Set<String>, services: [[UInt32]], endpoints: [UInt32]) {
    let rest = Self.network.leavingOut(nodes)
    #expect(rest.services.map(\.endpoints) == services.map { $0.map(Self.address) })
    #expect(rest.endpoints.map(\.address) == endpoints.map(Self.address))
  }
}

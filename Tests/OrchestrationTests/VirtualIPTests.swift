// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Services' addresses on the ingress network")
struct VirtualIPTests {
  private static func service(_ name: String, port: UInt32? = nil) -> Service {
    var spec = ServiceSpec(name: name, taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web")))
    spec.mode = .replicated(0)
    if let port { spec.endpointSpec = EndpointSpec(mode: "vip", ports: [PortConfig(targetPort: 80, publishedPort: port)]) }
    return Service(id: "id-\(name)", spec: spec, createdAt: .zero)
  }

  private static func addresses(_ cluster: SimulatedCluster) -> [String: String] {
    cluster.store.services.compactMapValues { $0.endpoint?.virtualIP?.description }
  }

  @Test("go to those that publish ingress ports, from the end of the pool, and are free again with their service")
  func life() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 2)
    let pool = try #require(cluster.store.cluster?.ingressPool)
    let first = IPv4Address(bits: pool.last.bits - 1).description
    let second = IPv4Address(bits: pool.last.bits - 2).description
    cluster.write { transaction in
      transaction.put(Self.service("a", port: 8080))
      transaction.put(Self.service("none"))
    }
    cluster.write { $0.put(Self.service("b", port: 8081)) }
    #expect(Self.addresses(cluster) == ["id-a": first, "id-b": second])
    cluster.write { $0.removeService("id-a") }
    cluster.write { $0.put(Self.service("c", port: 8082)) }
    #expect(Self.addresses(cluster) == ["id-b": second, "id-c": first])
  }

  @Test("stay with the service through changes of its ports, and end with the last of them")
  func kept() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.write { $0.put(Self.service("a", port: 8080)) }
    let before = Self.addresses(cluster)
    for (port, expected) in [(UInt32(9090), before), (nil, [:])] {
      cluster.write { transaction in
        guard var service = transaction.service("id-a") else { return }
        service.spec = Self.service("a", port: port).spec
        transaction.put(service)
      }
      #expect(Self.addresses(cluster) == expected)
    }
  }

  @Test("never lie in a node's subnet, which a small pool may leave no room for")
  func smallPool() {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.write { transaction in
      guard var stored = transaction.cluster else { return }
      stored.ingressPool = IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 24)
      stored.subnetSize = 24
      transaction.put(stored)
    }
    cluster.write { $0.put(Self.service("a", port: 8080)) }
    #expect(cluster.store.services["id-a"]?.endpoint?.ports.isEmpty == false)
    #expect(Self.addresses(cluster) == [:])
  }
}

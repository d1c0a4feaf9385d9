// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("Published ports")
struct PortTests {
  @Test("one that is left open is not given what the same service names, nor the one before it")
  func open() {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.create { spec in
      spec.endpointSpec = EndpointSpec(ports: [
        PortConfig(targetPort: 80, publishedPort: nil), PortConfig(targetPort: 81, publishedPort: 30_000),
        PortConfig(targetPort: 82, publishedPort: nil), PortConfig(targetPort: 80, publishedPort: nil, protocol: "udp"),
      ])
    }
    let given = cluster.store.services["id-web"]?.endpoint?.ports.map(\.publishedPort)
    #expect(given == [30_001, 30_000, 30_002, 30_000])
  }
}

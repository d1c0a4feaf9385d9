// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterStore
import SimulationKit
import Testing

@testable import Orchestration

@Suite("A service's labels")
struct ListenerLabelTests {
  @Test(
    "become its listeners' strategy and limits",
    arguments: [
      ([:], .roundRobin, .none),
      (["skep.lb.strategy": "ip-hash"], .ipHash, .none),
      (["skep.lb.max-connections": "900"], .roundRobin, ListenerLimits(connections: 900)),
      (
        ["skep.lb.idle-timeout": "15m", "skep.lb.max-connections": "1"], .roundRobin,
        ListenerLimits(connections: 1, idle: .seconds(900))
      ),
    ] as [([String: String], Strategy, ListenerLimits)])
  func listeners(labels: [String: String], strategy: Strategy, limits: ListenerLimits) {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.create { spec in
      spec.labels = labels
      spec.endpointSpec = EndpointSpec(mode: "vip", ports: [PortConfig(targetPort: 80, publishedPort: 8080)])
    }
    let listener = EndpointTables.listeners(of: cluster.store).first
    #expect(listener?.strategy == strategy)
    #expect(listener?.limits == limits)
  }
}

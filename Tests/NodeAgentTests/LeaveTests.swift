// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineTestKit
import Synchronization
import Testing

@testable import NodeAgent

@Suite("Leaving")
struct LeaveTests {
  @Test("removes also what the engine was still making when the agent ended, and nobody else's")
  func late() async throws {
    let engine = FakeEngine()
    _ = try await engine.createNetwork(["Name": "own"])
    let made = Flag()
    let clock = AgentClock(
      now: AgentClock.system.now,
      sleep: { _ in
        // Between the first look and the second.
        guard made.set() else { return }
        let labels: JSONValue = [Labels.cluster: .string(Fixtures.cluster)]
        _ = try await engine.createContainer(name: "late", config: ["Image": "web:1", "Labels": labels])
        _ = try await engine.createNetwork([
          "Name": "back", "Labels": [Labels.cluster: .string(Fixtures.cluster), Labels.network: "net"],
        ])
      })
    try await NodeAgent.leave(engine: engine, clusterID: Fixtures.cluster, clock: clock)
    #expect(try await engine.containers(all: true, labels: []) == [])
    #expect(try await engine.networks(filters: ["type": ["custom"]]).map(\.value.name) == ["own"])
  }

  private final class Flag: Sendable {
    private let isSet = Mutex(false)

    /// Whether this is the first time.
    func set() -> Bool {
      isSet.withLock { isSet in
        defer { isSet = true }
        return !isSet
      }
    }
  }
}

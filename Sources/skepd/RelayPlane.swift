// SPDX-License-Identifier: Apache-2.0

import Balancing
import DataPlane
import NodeAgent

/// The relay's part of the agent's data plane.
struct RelayPlane {
  let supervisor: RelaySupervisor

  func program(_ table: EndpointTable) async throws -> TrafficOutcome {
    let result = try await supervisor.program(table)
    let failures = result.failures.map { ($0.port.number, $0.description) }
    return TrafficOutcome(generation: result.generation, failedPorts: Dictionary(failures) { "\($0); \($1)" })
  }

  func openConnections(of endpoints: [String]) async throws -> [String: Int] {
    try await supervisor.openConnections(of: endpoints)
  }

  func drainingConnections() -> AsyncStream<[String: Int]> { supervisor.drainingConnections() }
}

// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

/// Each test has a playground of its own: an engine, skepd and the relay on one host, and an outside client.
@Suite("One host")
struct OneHostTests {
  @Test("init, create, answers from three containers, scale, remove, leave")
  func mainJob() async throws {
    let playground = try await Playground.up(nodes: 1, directory: Playground.scratchDirectory())
    do {
      let host = try playground.host("n1")
      _ = try await host.checkedDocker(["swarm", "init"])
      _ = try await host.checkedDocker([
        "service", "create", "--quiet", "--replicas", "3", "--name", "web", "--publish", "8080:80", "skep-web",
      ])
      let report = try await playground.client.requests("http://\(host.address):8080/", count: 300)
      #expect(report.failures.isEmpty)
    } catch {
      try await playground.down()
      throw error
    }
    try await playground.down()
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("init, create, exact turns, a crash healed in its slot, scale, rm, leave, and nothing left; then again")
  func mainJob() async throws {
    try await Fixture.with { n1 in
      // Without --detach docker shows the progress and waits until all is stable.
      let created = try await n1.docker(
        "service", "create", "--replicas", "3", "--name", "web", "--publish", "published=8080,target=80", "--restart-delay",
        "100ms", "skep-web")
      #expect(created.contains("verify: Service") && created.contains("converged"))
      let turns = try await n1.client.requests(n1.url(), count: 300, parallel: 1)
      #expect(turns.failures == [:])
      #expect(turns.answers.values.sorted() == [100, 100, 100])

      try await n1.crashUnderLoad()
      try await n1.docker("service", "scale", "--detach", "web=5")
      try await n1.answering(5)
      try await n1.docker("service", "scale", "--detach", "web=2")
      try await n1.settled("web", 2)
      try await n1.answering(2)
      try await n1.create("other", port: 8081)
      try await n1.docker("service", "rm", "web")
      try await n1.wait("the removed service's containers and port are gone") {
        let ports = try await n1.listeningPorts()
        let containers = try await n1.containers("web")
        return containers.isEmpty && !ports.contains(8080) && ports.contains(8081)
      }
      #expect(try await n1.get(port: 8081) != nil)
      #expect(try await n1.refusal("swarm", "leave").contains("--force"))
      try await n1.docker("swarm", "leave", "--force")
      try await n1.expectNothingLeft()

      try await n1.docker("swarm", "init")
      #expect(try await n1.docker("service", "ls", "--quiet").isEmpty)
      try await n1.create("web")
      try await n1.answering(3)
    }
  }
}

extension Fixture {
  fileprivate func crashUnderLoad() async throws {
    let before = try await tasks("web")
    let victim = try #require(before.first)
    let parallel = 4
    async let load = client.requests(url("/slow?ms=5"), count: 2_000, parallel: parallel)
    try await host.crash(container: victim.container)
    try await wait("the crashed task is replaced in its slot") {
      let tasks = try await tasks("web")
      return tasks.contains { $0.slot == victim.slot && $0.isRunning && $0.id != victim.id }
    }
    #expect(try await load.failed <= parallel)
    try await settled("web", 3)
    let after = Set(try await tasks("web").filter(\.isRunning).map(\.id))
    #expect(Set(before.map(\.id)).subtracting(after) == [victim.id], "only the crashed one was replaced")
    try await answering(3)
    let slot = try await docker("service", "ps", "web", "--no-trunc", "--format", "{{.ID}} {{.Error}}")
    #expect(slot.contains("\(victim.id) \"task: non-zero exit (137)\""))
  }

  fileprivate func expectNothingLeft() async throws {
    #expect(try await engine("ps", "--all", "--quiet").isEmpty)
    #expect(try await engine("network", "ls", "--filter", "label=skep.cluster", "--quiet").isEmpty)
    #expect(try await listeningPorts() == [])
    #expect(try await docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive")
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(host.directory)/state")
    #expect(files == ["lock"])
  }
}

// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension Cluster {
  /// Containers of the service on a host, by the engine itself: what runs whatever the managers know.
  private func containers(_ host: PlaygroundKit.Host) async throws -> [String] {
    try await host.docker(
      ["ps", "--quiet", "--filter", "label=com.docker.swarm.service.name=web"], via: .engine
    ).lines.sorted()
  }

  private func areTogether() async throws -> Bool { try await states() == "n1 Ready, n2 Ready, n3 Ready" }

  /// The link between a worker and the manager is cut and healed: what runs goes on, and nothing restarts needlessly.
  func cuts() async throws {
    // n2 came back empty from a pause: tasks for it and n3.
    try await fixture.docker("service", "update", "--quiet", "--detach", "--force", "web")
    try await fixture.wait("the update is over", .seconds(60)) {
      try await fixture.docker("service", "inspect", "--format", "{{.UpdateStatus.State}}", "web") == "completed"
    }
    let found = try await tasks()
    for host in ["n1", "n2", "n3"] { #expect(found.contains { $0.contains(" \(host) ") }, "\(host) has some: \(found)") }
    try await shortCut()
    try await longCut()
    try await restartDuringCut()
  }

  /// Shorter than what makes a node lost.
  private func shortCut() async throws {
    let (before, running) = (try await ids(), try await containers(n3))
    try await n3.cut()
    // Not to wait for something: the cut's length.
    try await Task.sleep(for: .milliseconds(700))
    try await n3.heal()
    // Nor this: time for whoever would act on it.
    try await Task.sleep(for: .seconds(4))
    #expect(try await areTogether())
    #expect(try await ids() == before)
    #expect(try await containers(n3) == running)
  }

  /// Longer: the others take over, the host's own go on until it hears so, and nothing runs twice afterwards.
  private func longCut() async throws {
    let running = try await containers(n3)
    try await n3.cut()
    try await fixture.wait("what n3 had runs elsewhere", .seconds(15)) { try await runWithout("n3") }
    #expect(try await containers(n3) == running, "a cut stops nothing")
    let others = [try await containers(fixture.host), try await containers(n2)]
    try await n3.heal()
    try await fixture.wait("what was replaced is stopped", .seconds(10)) { try await containers(n3).isEmpty }
    try await fixture.wait("n3 is taken back") { try await areTogether() }
    #expect([try await containers(fixture.host), try await containers(n2)] == others, "nothing else has moved")
    #expect(others.joined().count == 9)
  }

  /// A skepd that restarts while it hears nobody goes on from what it was told last.
  private func restartDuringCut() async throws {
    let (before, running) = (try await ids(), try await containers(n2))
    try await n2.cut()
    try await n2.stop(.skepd)
    try await n2.start(.skepd)
    #expect(try await n2.docker(["info", "--format", "{{.Swarm.LocalNodeState}}"]).text == "active")
    // Not to wait for something: time for an agent that would stop or start what it should not.
    try await Task.sleep(for: .seconds(2))
    #expect(try await containers(n2) == running && !running.isEmpty)
    try await fixture.wait("what n2 had runs elsewhere", .seconds(15)) { try await runWithout("n2") }
    try await n2.heal()
    try await fixture.wait("what was replaced is stopped", .seconds(10)) { try await containers(n2).isEmpty }
    try await fixture.wait("n2 is taken back", .seconds(60)) { try await states() == "n1 Ready, n2 Ready, n3 Ready" }
    #expect(try await ids().filter(before.contains).count == 9 - running.count, "nothing else has moved")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  /// Three hosts for all of it: bringing them up costs more than any of the checks.
  @Test("Hosts join a manager, run its tasks, are lost, replaced and taken back, and leave", .timeLimit(.minutes(5)))
  func threeHosts() async throws {
    try await Cluster.with { cluster in
      try await cluster.refusals()
      try await cluster.taskLogs()
      try await cluster.lostHost()
      try await cluster.pausedHosts()
      try await cluster.cuts()
      try await cluster.rotation()
      try await cluster.restarts()
      try await cluster.leaving()
    }
  }
}

extension Cluster {
  /// Ends with both workers in the swarm and nine tasks on the three hosts.
  func refusals() async throws {
    let noManager = try await join(n2, "SWMTKN-1-" + String(repeating: "a", count: 50) + "-" + String(repeating: "b", count: 25))
    #expect(noManager.stderr.contains("rpc error: code = Unavailable desc = connection error: the manager at 10.77.0.1:2377"))
    try await fixture.docker("swarm", "init")
    let token = try await fixture.docker("swarm", "join-token", "--quiet", "worker")
    let manager = try await fixture.docker("swarm", "join-token", "--quiet", "manager")
    #expect(
      try await join(n2, token.dropLast() + (token.hasSuffix("0") ? "1" : "0")).stderr.contains("A valid join token is necessary")
    )
    let digest = token.dropFirst("SWMTKN-1-".count)
    let foreign = "SWMTKN-1-" + (digest.hasPrefix("1") ? "2" : "1") + digest.dropFirst()
    #expect(try await join(n2, foreign).stderr.contains("remote CA does not match fingerprint"))
    #expect(try await join(n2, manager).stderr.contains("several managers are not supported by this release of Skep"))
    #expect(try await n2.docker(["info", "--format", "{{.Swarm.LocalNodeState}}"]).text == "inactive")

    let began = ContinuousClock.now
    #expect(try await join(n2, token).text == "This node joined a swarm as a worker.")
    // 0.3 s where nothing else is going on.
    #expect(ContinuousClock.now - began < .seconds(10))
    try await fixture.docker("swarm", "join-token", "--rotate", "--quiet", "worker")
    #expect(try await join(n3, token).stderr.contains("A valid join token is necessary"))
    #expect(try await join(n3, try await fixture.docker("swarm", "join-token", "--quiet", "worker")).succeeded)
    #expect(try await states() == "n1 Ready, n2 Ready, n3 Ready")
    #expect(try await join(n2, token).stderr.contains("This node is already part of a swarm."))
    #expect(try await n2.docker(["node", "ls"]).stderr.contains("Worker nodes can't be used to view or modify cluster state."))
    #expect(try await fixture.refusal("node", "rm", "n2").contains("is not down and can't be removed"))
    #expect(try await fixture.refusal("node", "promote", "n2").contains("promotions of workers are not supported"))

    try await fixture.docker("service", "create", "--quiet", "--detach", "--name", "web", "--replicas", "9", "skep-web")
    try await fixture.wait("nine tasks run") { try await runWithout("") }
    for host in [fixture.host, n2, n3] {
      #expect(try await host.docker(["ps", "--quiet"]).lines.count == 3, "\(host.name) has its own tasks and no others")
    }
  }

  /// A power cut: all runs elsewhere within seconds, and what comes back with the host stays ended.
  func lostHost() async throws {
    try await n3.kill(.all)
    try await fixture.wait("what n3 had runs elsewhere", .seconds(15)) { try await runWithout("n3") }
    #expect(try await states() == "n1 Ready, n2 Ready, n3 Down")
    try await n3.start()
    try await fixture.wait("n3 is taken back") { try await states() == "n1 Ready, n2 Ready, n3 Ready" }
    #expect(try await n3.docker(["ps", "--quiet"]).lines == [])
  }

  /// A worker that stands still is replaced and yields when it wakes; a manager that stands still condemns nobody.
  func pausedHosts() async throws {
    try await n2.pause()
    try await fixture.wait("what n2 had runs elsewhere", .seconds(15)) { try await runWithout("n2") }
    try n2.resume()
    try await fixture.wait("what n2 had is stopped") { try await n2.docker(["ps", "--quiet"]).lines.isEmpty }
    try await fixture.wait("n2 is taken back") { try await states() == "n1 Ready, n2 Ready, n3 Ready" }

    let before = try await ids()
    try await fixture.host.pause()
    // Not to wait for something: longer than any node may be silent.
    try await Task.sleep(for: .seconds(4))
    try fixture.host.resume()
    // Nor this: time for a judge that wanted to.
    try await Task.sleep(for: .seconds(3))
    #expect(try await ids() == before)
  }

  /// Neither side's restart moves a task; an agent alone looks after what it has.
  func restarts() async throws {
    let before = try await ids()
    let containers = try await n3.docker(["ps", "--quiet"], via: .engine).lines.sorted()
    try await n3.stop(.skepd)
    #expect(try await states() == "n1 Ready, n2 Ready, n3 Disconnected")
    try await fixture.host.kill(.skepd)
    try await n3.start(.skepd)
    #expect(
      try await n3.docker(["info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}"]).text == "active false")
    try await fixture.host.start(.skepd)
    try await fixture.wait("all are together again") { try await states() == "n1 Ready, n2 Ready, n3 Ready" }
    #expect(try await ids() == before)
    #expect(try await n3.docker(["ps", "--quiet"], via: .engine).lines.sorted() == containers)
  }

  func leaving() async throws {
    try await fixture.docker("node", "update", "--availability", "drain", "n3")
    try await fixture.wait("n3 is empty") { try await runWithout("n3") }
    #expect(try await n3.docker(["swarm", "leave"]).text == "Node left the swarm.")
    #expect(try await states() == "n1 Ready, n2 Ready, n3 Down")
    #expect(try await fixture.docker("node", "rm", "n3") == "n3")
    #expect(try await fixture.docker("node", "rm", "--force", "n2") == "n2")
    try await fixture.wait("n2 knows that it was removed") {
      try await n2.docker(["info", "--format", "{{.Swarm.Error}}"]).text.contains("was removed from swarm")
    }
    try await fixture.wait("all runs on the manager") { try await runWithout("n2") }
    #expect(try await n2.docker(["swarm", "leave"]).succeeded)
    #expect(try await n2.docker(["ps", "--all", "--quiet"]).lines == [])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test(
    "Jobs run to their end: so many at a time, again when told to, on hosts that join, past a lost one", .timeLimit(.minutes(4)))
  func jobs() async throws {
    try await Cluster.with { cluster in
      try await cluster.fixture.docker("swarm", "init")
      let token = try await cluster.fixture.docker("swarm", "join-token", "--quiet", "worker")
      #expect(try await cluster.join(cluster.n2, token).succeeded)
      try await cluster.waitedJob()
      try await cluster.failingJob()
      try await cluster.globalJob(token)
      try await cluster.lostJob()
    }
  }
}

extension Cluster {
  private func create(_ name: String, _ mode: String, _ more: String..., command: String) async throws {
    try await fixture.host.checkedDocker(
      ["service", "create", "--quiet", "--no-resolve-image", "--name", name, "--mode", mode, "--restart-delay", "100ms"] + more
        + ["skep-web", "sh", "-c", command])
  }

  private func counts(_ name: String) async throws -> String {
    try await fixture.docker("service", "ls", "--filter", "name=\(name)", "--format", "{{.Mode}}: {{.Replicas}}")
  }

  private func states(of name: String) async throws -> [String] {
    try await fixture.tasks(name).map(\.status.state).sorted()
  }

  /// The CLI waits for the end by itself, and says so.
  func waitedJob() async throws {
    try await create(
      "job", "replicated-job", "--replicas", "5", "--max-concurrent", "2", command: "echo slot $HOSTNAME; sleep 0.3")
    #expect(try await counts("job") == "replicated job: 0/2 (5/5 completed)")
    #expect(try await states(of: "job") == Array(repeating: "complete", count: 5))
    let names = try await fixture.docker("service", "ps", "job", "--format", "{{.Name}} {{.DesiredState}}").split(separator: "\n")
    #expect(names.filter { $0.hasSuffix(" Complete") }.count == 5 && names.contains("job.4 Complete"))
    #expect(try await fixture.docker("service", "logs", "--raw", "job").split(separator: "\n").count == 5)
    try await fixture.docker("service", "update", "--quiet", "--force", "job")
    #expect(try await states(of: "job") == Array(repeating: "complete", count: 10))
    #expect(try await fixture.docker("service", "scale", "job=3").contains("job complete"))
    #expect(try await counts("job") == "replicated job: 0/2 (3/3 completed)")
    // Fifteen containers are kept for their logs until the job goes.
    try await fixture.docker("service", "rm", "job")
    try await fixture.wait("nothing is left of the job") {
      var left = 0
      for host in [fixture.host, n2] { left += try await host.docker(["ps", "--all", "--quiet"]).lines.count }
      return left == 0
    }
  }

  func failingJob() async throws {
    try await create("bad", "replicated-job", "--detach", "--restart-max-attempts", "2", command: "exit 3")
    try await fixture.wait("the job has been tried three times") {
      try await states(of: "bad") == ["failed", "failed", "failed"]
    }
    #expect(try await counts("bad") == "replicated job: 0/1 (0/1 completed)")
    try await fixture.docker("service", "rm", "bad")
  }

  func globalJob(_ token: String) async throws {
    try await create("each", "global-job", command: "sleep 0.3")
    #expect(try await counts("each") == "global job: 0/0 (2/2 completed)")
    #expect(try await join(n3, token).succeeded)
    try await fixture.wait("the job has run on the host that joined") {
      try await counts("each") == "global job: 0/0 (3/3 completed)"
    }
    try await fixture.docker("service", "rm", "each")
  }

  /// A power cut: what the host had not completed runs elsewhere, what it had is not run again.
  func lostJob() async throws {
    try await create(
      "long", "replicated-job", "--detach", "--replicas", "6", "--max-concurrent", "6", command: "sleep $((2 + RANDOM % 3 * 3))")
    try await fixture.wait("all of the job runs, or has") {
      try await states(of: "long").allSatisfy { $0 == "running" || $0 == "complete" }
    }
    try await n3.kill(.all)
    // What a lost host ran is shown as running until it is back.
    try await fixture.wait("the job completes") { try await counts("long").hasSuffix("/6 (6/6 completed)") }
    let completed = try await fixture.tasks("long").filter { $0.status.state == "complete" }
    #expect(completed.count == 6 && Set(completed.map { $0.slot ?? 0 }).count == 6)
  }
}

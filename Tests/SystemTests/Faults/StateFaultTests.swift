// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  /// Folders below Fixtures, made by scripts/make-state-fixture and never again.
  static let releases = ["state-0.1.0"]

  @Test("The state directory of an earlier release is taken up with all its services", arguments: releases)
  func earlierRelease(fixture: String) async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.putState(fixture)
      try await n1.settled("web", 4)
      try await n1.settled("everywhere", 1)
      #expect(
        try await n1.docker("service", "ls", "--format", "{{.Name}} {{.Mode}} {{.Replicas}}").split(separator: "\n").sorted() == [
          "everywhere global 1/1", "once replicated 0/1", "stopped replicated 0/0", "web replicated 4/4",
        ])
      try await n1.answering(4)
      #expect(
        try await n1.docker(
          "service", "inspect", "web", "--format", "{{.UpdateStatus.State}} {{.Spec.Labels.team}} {{.PreviousSpec.Name}}")
          == "completed blue web")
      #expect(try await n1.docker("node", "inspect", "self", "--format", "{{.Spec.Labels.disk}}") == "ssd")
      #expect(
        try await n1.docker("node", "inspect", "self", "--format", "{{.ID}} {{.Status.Addr}}")
          == "\(try await n1.docker("info", "--format", "{{.Swarm.NodeID}}")) \(n1.host.address)")
      let container = try await n1.docker("ps", "--quiet", "--filter", "name=web.1.")
      #expect(
        try await n1.docker("inspect", "--format", "{{.Config.Env}} {{.HostConfig.Memory}}", container).contains("GREETING=again")
      )
      #expect(
        try await n1.docker("network", "inspect", "0-skep-ingress", "--format", "{{(index .IPAM.Config 0).Subnet}}")
          == "10.30.0.0/25")
      // It can be written, and read again.
      try await n1.docker("service", "rollback", "--detach", "web")
      try await n1.wait("rolled back") {
        try await n1.docker("service", "inspect", "web", "--format", "{{.UpdateStatus.State}}") == "rollback_completed"
      }
      try await n1.host.kill(.skepd)
      try await n1.host.start(.skepd)
      try await n1.settled("web", 3)
      try await n1.docker("swarm", "leave", "--force")
      #expect(try await n1.containers().isEmpty)
    }
  }

  @Test("A state directory that is lost: what ran runs on and is served, the log names it, and a new swarm works beside it")
  func lostState() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      let old = try #require(try await n1.containers().first?.labels["skep.cluster"])
      let before = try await n1.running()
      try await n1.host.kill(.skepd)
      try FileManager.default.removeItem(atPath: n1.stateDirectory)
      try await n1.host.start(.skepd)
      #expect(try await n1.swarmState() == "inactive")
      try await n1.wait("the log names them") { n1.log.contains("filter=\"label=skep.cluster=\(old)\"") }
      try await n1.host.stop(.skepd)
      try await n1.answering(2)
      try await n1.host.start(.skepd)
      try await n1.docker("swarm", "init")
      try await n1.create("anew", replicas: 2)
      #expect(try await n1.running().isSuperset(of: before))
      try await n1.answering(2)
      for container in before { try await n1.engine("rm", "--force", "--volumes", container) }
      try await n1.docker("swarm", "leave", "--force")
      #expect(try await n1.containers().isEmpty)
      #expect(try await n1.engine("network", "ls", "--filter", "label=skep.cluster", "--quiet").isEmpty)
    }
  }

  @Test(
    "What a newer release wrote is refused with the reason, and left as it is",
    arguments: [
      ("INSERT INTO grdb_migrations VALUES ('999: the future')", "was written by a newer release of Skep"),
      ("INSERT INTO record VALUES ('moon/1', x'00', 1)", "record moon/1 cannot be read: this release does not know its kind"),
      ("UPDATE record SET value = x'63' || substr(value, 2) WHERE key LIKE 'task/%'", "task record of format 99"),
    ])
  func newerRelease(change: String, reason: String) async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.putState("state-0.1.0") { folder in
        try await Command("sqlite3", ["\(folder)/cluster.db", change]).check()
      }
      #expect(try await n1.swarmState() == "error")
      let refusal = try await n1.refusal("service", "ls")
      #expect(refusal.contains(reason), "\(refusal)")
      #expect(n1.log.contains(reason))
      #expect(try await n1.host.docker(["ps"]).succeeded)
    }
  }

  @Test("A lost key and files that others can read: services run on, the log says what to do, and permissions are put right")
  func lostKey() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 1)
      let before = try await n1.running("web")
      try await n1.host.kill(.skepd)
      let files = FileManager.default
      try files.removeItem(atPath: "\(n1.stateDirectory)/ca.key")
      try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(n1.stateDirectory)/cluster.db")
      try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: n1.stateDirectory)
      try await n1.host.start(.skepd)
      try await n1.settled("web", 1)
      #expect(try await n1.running("web") == before)
      #expect(n1.log.contains("ca.key is missing or unreadable"))
      #expect(n1.log.contains("others could read or write a file with secrets"))
      for (file, mode) in [("", 0o700), ("/cluster.db", 0o600)] {
        let found = try files.attributesOfItem(atPath: n1.stateDirectory + file)[.posixPermissions] as? Int
        #expect(found == mode)
      }
    }
  }
}

extension Fixture {
  /// Starts skepd on a copy of a stored state directory.
  fileprivate func putState(_ fixture: String, change: (String) async throws -> Void = { _ in }) async throws {
    try await host.stop(.skepd)
    let here = (#filePath as NSString).deletingLastPathComponent
    let files = FileManager.default
    try files.removeItem(atPath: stateDirectory)
    try files.copyItem(atPath: "\(here)/../Fixtures/\(fixture)", toPath: stateDirectory)
    try await change(stateDirectory)
    try await host.start()
  }
}

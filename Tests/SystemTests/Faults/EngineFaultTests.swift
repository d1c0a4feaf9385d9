// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("An engine upgrade with live-restore: no container, task or request notices")
  func engineUpgrade() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web")
      let before = (try await n1.tasks("web").map(\.id).sorted(), try await n1.running("web"))
      let report = try await n1.underLoad {
        try await n1.host.stop(.engine)
        // Another start line stands for another release.
        _ = try await n1.reconfigured { $0.engineArguments = ["--live-restore", "--label", "release=next"] }
        try await n1.wait("skepd has seen it come back") { n1.log.contains("the engine is back") }
        try await n1.settled("web", 3)
      }
      #expect(report.failures == [:])
      #expect(try await n1.docker("info", "--format", "{{.Labels}}").contains("release=next"))
      #expect(try await n1.tasks("web").map(\.id).sorted() == before.0)
      #expect(try await n1.running("web") == before.1)
    }
  }

  @Test(
    "An engine without live-restore that is restarted or crashes: each task is replaced once, in its slot",
    arguments: [false, true])
  func engineWithoutLiveRestore(crashes: Bool) async throws {
    try await Fixture.with(.defaults.with { $0.engineArguments = [] }) { n1 in
      try await n1.create("web")
      let before = try await n1.tasks("web")
      if crashes { try await n1.host.kill(.engine) } else { try await n1.host.stop(.engine) }
      try await n1.host.start(.engine)
      try await n1.settled("web", 3)
      try await n1.expectReplacedOnce(before)
      try await n1.answering(3)
      #expect(n1.log.contains("the engine is away") && n1.log.contains("the engine is back"))
    }
  }

  @Test("While the engine is away services can be read and written, and what needs the engine says so")
  func engineAway() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      let before = try await n1.running("web")
      try await n1.host.kill(.engine)
      #expect(try await n1.docker("service", "ls", "--format", "{{.Name}}") == "web")
      #expect(try await n1.docker("service", "ps", "web", "--format", "{{.Name}}").split(separator: "\n").count == 2)
      #expect(try await n1.docker("service", "inspect", "web", "--format", "{{.Spec.Name}}") == "web")
      #expect(try await n1.api("GET", "/nodes").status == 200)
      try await n1.docker("service", "create", "--quiet", "--detach", "--name", "late", "skep-web")
      try await n1.docker("service", "scale", "--detach", "web=3")
      let away = "annot reach the Docker Engine at unix://\(n1.host.engineSocket)"
      for arguments in [["ps"], ["info"], ["network", "ls"], ["run", "skep-web"], ["service", "logs", "web"]] {
        let answer = try await n1.host.docker(arguments)
        #expect((answer.stdout + answer.stderr).contains(away), "docker \(arguments): \(answer)")
      }
      #expect(try await n1.api("GET", "/containers/json").status == 503)
      let version = try await n1.host.exec(
        ["curl", "--silent", "--head", "--unix-socket", n1.host.apiSocket, "http://docker/_ping"])
      #expect(version.text.contains("Api-Version: 1.41"), "clients go on with the engine's version: \(version.text)")
      try await n1.host.start(.engine)
      try await n1.settled("late", 1)
      try await n1.settled("web", 3)
      #expect(try await n1.running("web").isSuperset(of: before))
    }
  }

  @Test("An engine that hangs: services are answered, and when it goes on nothing was restarted")
  func engineHangs() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      let before = try await n1.running("web")
      let report = try await n1.underLoad {
        try await n1.host.kill(.engine, signal: 19)
        #expect(try await n1.docker("service", "ls", "--format", "{{.Name}}") == "web")
        try await n1.docker("service", "scale", "--detach", "web=3")
        try await n1.host.kill(.engine, signal: 18)
        try await n1.settled("web", 3)
      }
      #expect(report.failures == [:])
      #expect(try await n1.running("web").isSuperset(of: before))
    }
  }
}

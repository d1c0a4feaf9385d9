// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension Cluster {
  /// A service on all hosts whose tasks count, read by the manager; a lost host takes its part with it and nothing else.
  func taskLogs() async throws {
    let count = "i=0; while true; do i=$((i+1)); echo said $i; echo to stderr >&2; sleep 0.2; done"
    try await fixture.docker(
      "service", "create", "--quiet", "--detach", "--name", "talk", "--mode", "global", "skep-web", "sh", "-c", count)
    try await fixture.wait("all three speak") {
      let logs = try await fixture.docker("service", "logs", "talk")
      return ["@n1", "@n2", "@n3"].allSatisfy { logs.contains($0) }
    }
    let last = try await fixture.docker("service", "logs", "--tail", "2", "talk").split(separator: "\n")
    // The other of the two is on standard error.
    for host in ["@n1", "@n2", "@n3"] { #expect(last.count { $0.contains(host) && $0.contains(" | ") } == 1, "\(last)") }
    let task = try await fixture.docker("service", "ps", "--quiet", "--no-trunc", "--filter", "node=n2", "talk")
    let stamped = try await fixture.docker("service", "logs", "--timestamps", "--raw", task)
    let line = try Regex(#"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z said 1$"#)
    #expect(stamped.contains(line), "\(stamped)")

    try await following()
    let cut = try await fixture.refusal("service", "logs", "talk")
    let id = try await fixture.docker("node", "inspect", "--format", "{{.ID}}", "n2")
    #expect(cut.contains("incomplete log stream") && cut.contains("node \(id) is not available"), "\(cut)")
    try await n2.heal()
    try await fixture.wait("n2 is back") { try await states() == "n1 Ready, n2 Ready, n3 Ready" }
    try await fixture.docker("service", "rm", "talk")
  }

  /// Ends with n2 cut off.
  private func following() async throws {
    let file = "\(fixture.host.directory)/talk.log"
    let docker = fixture.host.dockerCommand(["service", "logs", "--follow", "--tail", "0", "talk"])
    let follow = Command(
      "sh", ["-c", "exec \"$@\" > \(file) 2>&1", "sh", docker.executable] + docker.arguments, environment: docker.environment)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await follow.run() }
      let said = { (host: String) in
        (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n").count { $0.contains(host) } ?? 0
      }
      try await fixture.wait("all three are followed") { ["@n1", "@n2", "@n3"].allSatisfy { said($0) > 3 } }
      try await n2.cut()
      try await fixture.wait("n2 is lost") { try await states().contains("n2 Down") }
      let before = said("@n3")
      try await fixture.wait("the others are followed on") { said("@n3") > before + 3 }
      group.cancelAll()
    }
  }
}

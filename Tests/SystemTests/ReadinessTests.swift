// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A container that listens late gets no traffic before; one that never does fails with the reason shown")
  func readiness() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      // The two new tasks run at once and listen after 2 s: until then all answers come from the two old ones.
      let before = try await n1.running("web")
      try await n1.docker(
        "service", "update", "--detach", "--update-order", "start-first", "--env-add", "START_DELAY_MS=2000", "web")
      var looks = 0
      try await n1.wait("the update is over") {
        let report = try await n1.client.requests(n1.url(), count: 50, parallel: 2)
        #expect(report.failures == [:])
        looks += 1
        let running = try await n1.running("web")
        return running.count == 2 && running.isDisjoint(with: before)
      }
      #expect(looks > 1)
      try await n1.answering(2)

      try await n1.docker(
        "service", "create", "--detach", "--name", "deaf", "--publish", "8081:80", "--restart-condition", "none", "--env",
        "PORT=81",
        "--label", "skep.ready.timeout=3s", "skep-web")
      try await n1.wait("the reason is shown") {
        try await n1.docker("service", "ps", "--no-trunc", "--format", "{{.CurrentState}}: {{.Error}}", "deaf").contains(
          "not ready within 3s: nothing accepted connections on port 80")
      }
      #expect(try await n1.get(port: 8081) == nil)
    }
  }

  @Test("A health check decides: no traffic before it is healthy, and replaced when it is not any more")
  func healthCheck() async throws {
    try await Fixture.with { n1 in
      try await n1.docker(
        "service", "create", "--detach", "--name", "web", "--publish", "8080:80", "--restart-delay", "100ms", "--label",
        "skep.drain.timeout=1s", "--env", "START_DELAY_MS=1500", "--health-cmd", "wget -qO- http://127.0.0.1/health",
        "--health-interval", "300ms", "--health-retries", "2", "--health-start-period", "10s", "skep-web")
      try await n1.wait("the task starts") { try await n1.tasks("web").contains { $0.status.state == "starting" } }
      #expect(try await n1.get() == nil)
      try await n1.settled("web", 1)
      let first = try #require(try await n1.tasks("web").first { $0.isRunning })
      try await n1.wait("it answers") { try await n1.get() != nil }
      #expect(try await n1.get("/unhealthy") != nil)
      try await n1.wait("the unhealthy one is replaced") {
        try await n1.tasks("web").contains { $0.isRunning && $0.id != first.id }
      }
      try await n1.wait("the new one answers") { try await n1.get("/health") == "healthy" }
      #expect(try await n1.docker("service", "ps", "--no-trunc", "--format", "{{.Error}}", "web").contains("unhealthy container"))
    }
  }
}

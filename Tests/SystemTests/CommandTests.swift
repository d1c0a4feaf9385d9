// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("Nodes and the swarm by the CLI: info, join refused, tokens, drain and active")
  func nodeCommands() async throws {
    try await Fixture.with { n1 in
      #expect(try await n1.docker("info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}") == "active true")
      #expect(try await n1.refusal("swarm", "init").contains("This node is already part of a swarm"))
      #expect(
        try await n1.refusal("swarm", "join", "--token", "SWMTKN-1-x-y", "10.77.0.9:2377").contains("already part of a swarm"))
      #expect(try await n1.docker("swarm", "join-token", "worker").contains("docker swarm join --token SWMTKN-1-"))
      #expect(try await n1.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.Availability}}") == "n1 Ready Active")
      #expect(try await n1.docker("node", "inspect", "--pretty", "self").contains("Availability:"))
      try await n1.create("web", replicas: 2)
      #expect(try await n1.docker("node", "ps", "--format", "{{.Name}}").contains("web.1"))

      try await n1.docker("node", "update", "--availability", "drain", "n1")
      try await n1.wait("the tasks wait for a node") {
        let tasks = try await n1.tasks("web").filter { $0.desiredState == "running" || $0.desiredState == "ready" }
        return tasks.count == 2 && tasks.allSatisfy { $0.status.state == "pending" }
      }
      #expect(
        try await n1.docker("service", "ps", "--no-trunc", "--format", "{{.Error}}", "web").contains(
          "no suitable node (1 node not available for new tasks)"))
      try await n1.wait("nothing runs") { try await n1.running("web").isEmpty }
      try await n1.docker("node", "update", "--availability", "active", "n1")
      try await n1.settled("web", 2)
      try await n1.answering(2)
    }
  }

  @Test("Services by the CLI: ls, ps, inspect, logs, global mode, restart policies")
  func serviceCommands() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      #expect(
        try await n1.docker("service", "ls", "--format", "{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}")
          == "web replicated 2/2 skep-web:latest *:8080->80/tcp")
      let pretty = try await n1.docker("service", "inspect", "--pretty", "web")
      #expect(pretty.contains("Replicas:\t2") && pretty.contains("PublishedPort = 8080"))

      try await n1.docker("service", "create", "--detach", "--name", "all", "--mode", "global", "skep-web")
      try await n1.wait("the global service runs") {
        try await n1.docker("service", "ls", "--filter", "name=all", "--format", "{{.Mode}} {{.Replicas}}") == "global 1/1"
      }

      try await n1.job("once", condition: "none", "echo said; exit 3")
      try await n1.job("done", condition: "on-failure", "exit 0")
      try await n1.job("thrice", condition: "on-failure", "exit 4", "--restart-max-attempts", "2")
      try await n1.ends("once", ["failed"])
      try await n1.ends("done", ["complete"])
      try await n1.ends("thrice", ["failed", "failed", "failed"])
      let logs = try await n1.docker("service", "logs", "once")
      #expect(logs.contains("once.1.") && logs.contains("@n1") && logs.hasSuffix("| said"))
    }
  }

  @Test("service logs --follow tells what comes later, from all tasks")
  func followedLogs() async throws {
    try await Fixture.with { n1 in
      try await n1.docker(
        "service", "create", "--detach", "--name", "talk", "--replicas", "2", "skep-web", "sh", "-c",
        "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.3; done")
      try await n1.settled("talk", 2)
      let command = n1.host.dockerCommand(["service", "logs", "--follow", "--raw", "talk"])
      let result = try await Command(
        "timeout", ["3", command.executable] + command.arguments, environment: command.environment
      ).run()
      #expect(result.lines.count { $0 == "line 1" } == 2, "\(result.stdout)\(result.stderr)")
      #expect(result.lines.contains("line 6"))
    }
  }

  @Test("What cannot be is refused in swarm's words")
  func refusals() async throws {
    try await Fixture.with { n1 in
      #expect(try await n1.refusal("service", "inspect", "nobody").lowercased().contains("no such service: nobody"))
      // Older command lines have words of their own for 404.
      let unknown = try await n1.refusal("service", "rm", "nobody")
      #expect(unknown.contains("service nobody not found") || unknown.contains("No such service: nobody"))
      try await n1.create("web", replicas: 1)
      #expect(
        try await n1.refusal("service", "create", "--detach", "--name", "web", "skep-web").contains(
          "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists"))
      #expect(
        try await n1.refusal("service", "create", "--detach", "--publish", "8080:80", "skep-web").contains(
          "port '8080' is already in use by service 'web'"))
      #expect(
        try await n1.refusal("service", "create", "--detach", "--constraint", "node.shape=round", "skep-web").contains(
          "constraint expected one operator from ==, !="))
      let both = try await n1.refusal("swarm", "leave")
      #expect(both.contains("manager") && both.contains("--force"))
    }
  }
}

extension Fixture {
  fileprivate func job(_ name: String, condition: String, _ script: String, _ more: String...) async throws {
    try await host.checkedDocker(
      ["service", "create", "--detach", "--name", name, "--restart-condition", condition, "--restart-delay", "100ms"] + more
        + ["skep-web", "sh", "-c", script])
  }

  /// The states of all tasks there will ever be.
  fileprivate func ends(_ service: String, _ states: [String]) async throws {
    try await wait("\(service) ends as \(states)") { try await tasks(service).map(\.status.state) == states }
    // Longer than the restart delay: nothing more may come.
    try await Task.sleep(for: .milliseconds(400))
    #expect(try await tasks(service).map(\.status.state) == states)
  }
}

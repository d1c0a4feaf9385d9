// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("Generic resources of the engine are reserved by name or count, told to the container, and free again afterwards")
  func genericResources() async throws {
    let resources = ["gpu=a", "gpu=b", "fpga=3"].flatMap { ["--node-generic-resource", $0] }
    try await Fixture.with(.defaults.with { $0.engineArguments += resources }) { n1 in
      let described = try await n1.docker(
        "node", "inspect", "self", "--format", "{{json .Description.Resources.GenericResources}}")
      #expect(
        described
          == #"[{"DiscreteResourceSpec":{"Kind":"fpga","Value":3}},{"NamedResourceSpec":{"Kind":"gpu","Value":"a"}},"#
          + #"{"NamedResourceSpec":{"Kind":"gpu","Value":"b"}}]"#)
      try await n1.create(
        "web", replicas: 1, port: nil, "--generic-resource", "gpu=1", "--generic-resource", "fpga=1")
      #expect(try await n1.resources("web") == ["DOCKER_RESOURCE_FPGA=1 DOCKER_RESOURCE_GPU=a"])
      try await n1.docker("service", "scale", "--detach", "web=3")
      try await n1.wait("two run, each with a card of its own") {
        try await n1.resources("web") == [
          "DOCKER_RESOURCE_FPGA=1 DOCKER_RESOURCE_GPU=a", "DOCKER_RESOURCE_FPGA=1 DOCKER_RESOURCE_GPU=b",
        ]
      }
      try await n1.wait("the third says why it waits") {
        try await n1.errors("web").contains("no suitable node (insufficient resources on 1 node)")
      }
      let card = try await n1.docker("service", "ps", "--quiet", "--no-trunc", "--filter", "name=web.1", "web")
      // In the order of the reservations, which the CLI sends in no order of its own.
      let format =
        "{{range .GenericResources}}{{with .DiscreteResourceSpec}}{{.Kind}}={{.Value}} {{end}}"
        + "{{with .NamedResourceSpec}}{{.Kind}}:{{.Value}} {{end}}{{end}}"
      let claimed = try await n1.docker("inspect", "--type", "task", "--format", format, card)
      #expect(claimed.split(separator: " ").sorted() == ["fpga=1", "gpu:a"])
      try await n1.docker("service", "rm", "web")
      try await n1.create("next", replicas: 1, port: nil, "--generic-resource", "gpu=2")
      #expect(try await n1.resources("next") == ["DOCKER_RESOURCE_GPU=a,b"])
      #expect(
        try await n1.refusal("service", "create", "--detach", "--generic-resource", "gpu=a", "skep-web").contains(
          "Named Generic Resources is not supported for service create or update"))
    }
  }

  @Test("A task whose node loses a label is rejected in swarm's words, and runs again when the label is back")
  func eviction() async throws {
    try await Fixture.with { n1 in
      try await n1.docker("node", "update", "--label-add", "zone=a", "n1")
      try await n1.create("web", replicas: 2, "--constraint", "node.labels.zone == a")
      try await n1.docker("node", "update", "--label-rm", "zone", "n1")
      try await n1.wait("both are rejected, and what follows waits for a node") {
        let tasks = try await n1.tasks("web")
        let rejected = tasks.filter { $0.status.state == "rejected" }.map(\.status.err)
        let waiting = tasks.filter { $0.status.state == "pending" }.map(\.status.err)
        return rejected == Array(repeating: "assigned node no longer meets constraints", count: 2)
          && waiting == Array(repeating: "no suitable node (scheduling constraints not satisfied on 1 node)", count: 2)
      }
      #expect(try await n1.running("web").isEmpty)
      try await n1.docker("node", "update", "--label-add", "zone=a", "n1")
      try await n1.settled("web", 2)
      try await n1.answering(2)
    }
  }

  @Test("The history of a slot is as long as the swarm says, whenever it says so")
  func history() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 1, port: nil)
      for round in 1...3 {
        let victims = try await n1.running("web")
        for container in victims { try await n1.engine("kill", container) }
        try await n1.wait("replaced \(round) times") {
          let running = try await n1.running("web")
          return !running.isEmpty && running.isDisjoint(with: victims)
        }
      }
      #expect(try await n1.tasks("web").count == 4)
      try await n1.docker("swarm", "update", "--task-history-limit", "2")
      try await n1.wait("two are left, and so are their containers") {
        let (tasks, containers) = (try await n1.tasks("web").count, try await n1.containers("web").count)
        return tasks == 2 && containers == 2
      }
      try await n1.docker("swarm", "update", "--task-history-limit", "0")
      try await n1.wait("only the live one is left") { try await n1.tasks("web").map(\.status.state) == ["running"] }
    }
  }

  @Test("The CLI follows creates and updates to their end: converged, paused, rolled back")
  func progress() async throws {
    try await Fixture.with { n1 in
      let create = [
        "service", "create", "--name", "web", "--replicas", "2", "--update-monitor", "1s", "--restart-delay", "100ms",
      ]
      let created = try await n1.host.docker(create + ["--label", "skep.drain.timeout=1s", "skep-web"])
      #expect(created.succeeded && created.text.contains("onverged"), "\(created.stdout)\(created.stderr)")

      let updated = try await n1.host.docker(["service", "update", "--env-add", "A=1", "web"])
      #expect(updated.succeeded && updated.text.contains("onverged"), "\(updated.stdout)\(updated.stderr)")
      #expect(try await n1.updateStatus("web") == "completed update completed")

      let paused = try await n1.host.docker(["service", "update", "--args", "sh -c 'exit 7'", "web"])
      let reason = "due to failure or early termination of task "
      #expect(!paused.succeeded && paused.stderr.contains("service update paused: update paused \(reason)"), "\(paused.stderr)")
      #expect(try await n1.updateStatus("web").hasPrefix("paused update paused \(reason)"))

      let back = try await n1.host.docker(["service", "rollback", "web"])
      #expect(back.succeeded && back.text.contains("rollback: manually requested rollback"), "\(back.stdout)\(back.stderr)")
      // The CLI waits for the update's monitor time, a rollback has its own, of 5 s.
      try await n1.wait("the rollback ends") { try await n1.updateStatus("web") == "rollback_completed rollback completed" }
      try await n1.settled("web", 2)

      let failing = ["service", "update", "--args", "sh -c 'exit 7'", "--update-failure-action", "rollback", "web"]
      let rolledBack = try await n1.host.docker(failing)
      #expect(rolledBack.succeeded && rolledBack.text.contains("rollback: update rolled back \(reason)"), "\(rolledBack.stdout)")
      // The CLI waits for the update's monitor time, a rollback has its own, of 5 s.
      try await n1.wait("the rollback ends") { try await n1.updateStatus("web") == "rollback_completed rollback completed" }
      try await n1.settled("web", 2)
      #expect(try await n1.docker("service", "inspect", "--format", "{{.PreviousSpec}}", "web") == "<nil>")
    }
  }
}

extension Fixture {
  /// What the containers of a service know of their generic resources.
  fileprivate func resources(_ service: String) async throws -> [String] {
    var found: [String] = []
    for container in try await running(service) {
      let environment = try await engine("inspect", "--format", #"{{range .Config.Env}}{{println .}}{{end}}"#, container)
      let variables = environment.split(separator: "\n").filter { $0.hasPrefix("DOCKER_RESOURCE_") }
      found.append(variables.joined(separator: " "))
    }
    return found.sorted()
  }

  fileprivate func errors(_ service: String) async throws -> [String] { try await tasks(service).compactMap(\.status.err) }

  fileprivate func updateStatus(_ service: String) async throws -> String {
    try await docker("service", "inspect", "--format", "{{.UpdateStatus.State}} {{.UpdateStatus.Message}}", service)
  }
}

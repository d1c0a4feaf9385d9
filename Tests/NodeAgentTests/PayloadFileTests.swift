// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Testing

@testable import NodeAgent

@Suite("Secrets and configs on a node")
struct PayloadFileTests {
  private static func payload(
    _ kind: PayloadKind, _ id: String, _ data: String, templating: String? = nil
  ) throws -> AssignedPayload {
    AssignedPayload(
      kind: kind, id: id, name: "name of \(id)", templating: templating,
      data: try Fixtures.sealer.sealPayload(Array(data.utf8), kind, id: id))
  }

  private static func template(
    _ secrets: [SecretReference], _ configs: [ConfigReference] = [], env: [String]? = nil
  ) -> TaskTemplate {
    Fixtures.template { spec in
      spec.containerSpec?.secrets = secrets
      spec.containerSpec?.configs = configs
      spec.containerSpec?.env = env
    }
  }

  private static let key = SecretReference(
    id: "s1", name: "key", file: FileTarget(name: "key", uid: "1000", gid: "33", mode: 0o400))
  private static let conf = ConfigReference(id: "c1", name: "conf", file: FileTarget(name: "/etc/conf"))

  private static func harness(_ payloads: AssignedPayload..., task: ClusterTask) async -> Harness {
    let harness = Harness()
    await harness.dispatcher.assign { dispatcher in
      dispatcher.payloads = payloads
      dispatcher.tasks[task.id] = task
    }
    return harness
  }

  @Test("are files before the container is made, which sees them read-only, and go with the task")
  func life() async throws {
    let runtime = ConfigReference(id: "c2", name: "runtime", file: nil, runtime: ConfigReference.RuntimeTarget())
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"), try Self.payload(.config, "c1", "a=b"), try Self.payload(.config, "c2", "x"),
      task: Fixtures.task(template: Self.template([Self.key], [runtime, Self.conf])))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
      #expect(
        harness.files.all == [
          "task1": [
            TaskFile(target: "/run/secrets/key", data: Array("hunter2".utf8), user: 1_000, group: 33, mode: 0o400),
            TaskFile(target: "/etc/conf", data: Array("a=b".utf8)),
          ]
        ])
      let config = await harness.engine.container(named: "web.1.task1")?.config
      #expect(
        config?["HostConfig"]?["Mounts"] == [
          ["Type": "bind", "Source": "/run/tasks/task1/0", "Target": "/run/secrets/key", "ReadOnly": true],
          ["Type": "bind", "Source": "/run/tasks/task1/1", "Target": "/etc/conf", "ReadOnly": true],
        ])
      #expect(config?.text.contains("hunter2") == false)
      await harness.desire(.shutdown)
      try await harness.until("shut down") { await harness.state() == .shutdown }
      try await harness.until("its files are gone") { harness.files.all.isEmpty }
    }
  }

  @Test("templates become the task's own")
  func templated() async throws {
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"),
      try Self.payload(
        .config, "c1", #"{{.Task.Name}} {{env "A"}} {{env "TWICE"}} {{secret "key"}} {{.Node.Hostname}}"#, templating: "golang"),
      task: Fixtures.task(template: Self.template([Self.key], [Self.conf], env: ["A=b=c", "TWICE=1", "TWICE=2", "{{.Nope"])))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
    }
    #expect(harness.files.all["task1"]?.last.map { String(decoding: $0.data, as: UTF8.self) } == "web.1.task1 b=c 1 hunter2 ")
  }

  @Test("what is in them comes at the start, and no sooner")
  func empty() async throws {
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"),
      task: Fixtures.task(desired: .ready, template: Self.template([Self.key])))
    try await harness.withAgent { _ in
      try await harness.until("prepared") { await harness.state() == .ready }
      #expect(harness.files.all == ["task1": [TaskFile(target: "/run/secrets/key", data: [], mode: 0)]])
      await harness.desire(.running)
      try await harness.until("running") { await harness.state() == .running }
      #expect(harness.files.all["task1"]?.map(\.data) == [Array("hunter2".utf8)])
    }
  }

  private static let unable = "unable to get config from config store:"
  private static let failed = "\(unable) failed to expand templated config c1:"

  @Test(
    "what cannot be given is a container that cannot be started, in swarm's words",
    arguments: [
      (nil, "\(unable) config c1 not found"), (("{{", "golang"), "\(failed) template: expansion:1: unclosed action"),
      (("a", "odd"), "\(failed) unrecognized template type"),
    ] as [((String, String)?, String)])
  func refused(config: (data: String, driver: String)?, reason: String) async throws {
    let harness = Harness()
    let payload = try config.map { try Self.payload(.config, "c1", $0.data, templating: $0.driver) }
    await harness.dispatcher.assign { dispatcher in
      dispatcher.payloads = [payload].compactMap { $0 }
      dispatcher.tasks["task1"] = Fixtures.task(template: Self.template([], [Self.conf]))
    }
    try await Self.expectFailure(harness, reason)
  }

  private static func expectFailure(_ harness: Harness, _ reason: String) async throws {
    try await harness.withAgent { _ in
      try await harness.until("failed") {
        await harness.brief() == "failed 'starting' err 'starting container failed: \(reason)'"
      }
      try await harness.until("its files are gone") { harness.files.all.isEmpty }
    }
    #expect(await harness.engine.containers.values.map(\.starts) == [0])
  }

  @Test("a secret that was sealed for something else cannot be read, and an owner is a number")
  func unreadable() async throws {
    var stolen = try Self.payload(.secret, "s2", "hunter2")
    stolen.id = "s1"
    let first = await Self.harness(stolen, task: Fixtures.task(template: Self.template([Self.key])))
    try await Self.expectFailure(
      first,
      "unable to get secret from secret store: secret name of s2 cannot be read: sealed with another key, or changed since")
    let named = SecretReference(id: "s1", name: "key", file: FileTarget(name: "key", uid: "root"))
    let second = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"), task: Fixtures.task(template: Self.template([named])))
    try await Self.expectFailure(second, #"strconv.Atoi: parsing "root": invalid syntax"#)
  }

  @Test("where there is no place for files the task is rejected, and has no container")
  func full() async throws {
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"), task: Fixtures.task(template: Self.template([Self.key])))
    harness.files.fill()
    let reason = "secrets and configs cannot be given to the container: Full()"
    try await harness.withAgent { _ in
      try await harness.until("rejected") { await harness.brief() == "rejected 'preparing' err '\(reason)'" }
    }
    #expect(await harness.engine.containers.isEmpty)
  }

  @Test("a container that was made before its host was rebooted has its files again when it starts")
  func reboot() async throws {
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"),
      task: Fixtures.task(desired: .ready, template: Self.template([Self.key])))
    try await harness.withAgent { _ in
      try await harness.until("prepared") { await harness.state() == .ready }
    }
    harness.files.lose()
    try await harness.withAgent { _ in
      await harness.desire(.running)
      try await harness.until("running") { await harness.state() == .running }
      #expect(harness.files.all["task1"]?.map(\.data) == [Array("hunter2".utf8)])
    }
  }

  @Test("a new agent leaves what runs its files, and takes away what nobody has a use for")
  func leftovers() async throws {
    let harness = await Self.harness(
      try Self.payload(.secret, "s1", "hunter2"), task: Fixtures.task(template: Self.template([Self.key])))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
    }
    try harness.files.place([TaskFile(target: "/a", data: [1])], ofTask: "gone")
    try await harness.withAgent { _ in
      try await harness.until("the other's are gone") { harness.files.all.keys.sorted() == ["task1"] }
    }
    #expect(await harness.engine.containers.values.map(\.starts) == [1])
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("A node's agent")
struct NodeAgentTests {
  @Test("runs a task, says so in swarm's words, and stops it with its grace period")
  func life() async throws {
    let harness = Harness()
    let template = Fixtures.template { $0.containerSpec?.stopGracePeriod = 2_500_000_000 }
    await harness.assign(Fixtures.task(template: template))
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.brief() == "running 'started' ready" }
      await harness.desire(.shutdown)
      try await harness.until("shut down") { await harness.brief() == "shutdown 'shutdown'" }
    }
    let container = await harness.engine.container(named: "web.1.task1")
    #expect(container?.stopTimeout == 3)
    #expect(container?.status == "exited")
    #expect(await harness.status()?.exitCode == 143)
    #expect(await harness.engine.calls == ["pull web:1", "create web.1.task1", "start web.1.task1", "stop web.1.task1"])
  }

  @Test("describes its host as swarm does")
  func description() async throws {
    let harness = Harness()
    try await harness.withAgent { _ in
      try await harness.until("registered") { await !harness.dispatcher.descriptions.isEmpty }
    }
    let wanted = NodeDescription(
      hostname: "host-1", platform: .init(architecture: "x86_64", os: "linux"),
      resources: .init(nanoCPUs: 2_000_000_000, memoryBytes: 4_000_000_000),
      engine: .init(
        engineVersion: "20.10.24", labels: ["zone": "a", "bare": ""],
        plugins: [
          .init(type: "Log", name: "json-file"), .init(type: "Network", name: "bridge"), .init(type: "Network", name: "host"),
          .init(type: "Network", name: "null"), .init(type: "Volume", name: "local"),
        ]))
    #expect(await harness.dispatcher.descriptions.first == wanted)
  }

  @Test("tells the managers when the engine has come to have something else")
  func changedHost() async throws {
    let manual = ManualClock()
    let harness = Harness(clock: AgentClock(now: manual.now, sleep: manual.sleep))
    try await harness.withAgent { _ in
      try await harness.until("registered") { await !harness.dispatcher.descriptions.isEmpty }
      await harness.engine.configure {
        $0.genericResources = [
          ["NamedResourceSpec": ["Kind": "gpu", "Value": "b"]], ["DiscreteResourceSpec": ["Kind": "fpga", "Value": 2]],
          ["NamedResourceSpec": ["Kind": "gpu", "Value": "a"]],
        ]
      }
      try await harness.until("told again") {
        manual.advance(by: .seconds(1))
        return await harness.dispatcher.descriptions.count == 2
      }
    }
    let wanted: [GenericResource] = [.discrete("fpga", 2), .named("gpu", "b"), .named("gpu", "a")]
    #expect(await harness.dispatcher.descriptions.map(\.resources.genericResources) == [nil, wanted])
  }

  @Test("a killed container is reported at once, and new connections avoid it before the leader knows")
  func killed() async throws {
    let harness = Harness()
    await harness.dispatcher.assign { dispatcher in
      dispatcher.tasks = ["task1": Fixtures.task(), "task2": Fixtures.task("task2", slot: 2)]
      dispatcher.table = TrafficStateTests.table(generation: 5, ready: ["task1", "task2"])
    }
    try await harness.withAgent { _ in
      try await harness.until("both run") {
        let states = [await harness.state("task1"), await harness.state("task2")]
        return states == [.running, .running] && !harness.plane.tables.isEmpty
      }
      await harness.engine.exit("web.1.task1")
      try await harness.until("withdrawn") {
        harness.plane.tables.last == TrafficStateTests.table(generation: 5, ready: ["task2"])
      }
      try await harness.until("reported") { await harness.brief() == "failed 'started' err 'task: non-zero exit (137)'" }
      #expect(await harness.state("task2") == .running)
    }
    #expect(await harness.engine.container(named: "web.1.task1")?.starts == 1)
  }

  @Test(
    "says why a task cannot run",
    arguments: [
      ("nope:1", "rejected 'preparing' err 'No such image: nope:1'"),
      ("nope", "rejected 'preparing' err 'No such image: nope:latest'"),
      ("broken:1", "failed 'starting' err 'starting container failed: exec: \"x\": not found'"),
      ("quick:1", "failed 'started' err 'task: non-zero exit (3)'"), ("job:1", "complete 'finished'"),
    ])
  func reasons(image: String, brief: String) async throws {
    let harness = Harness()
    await harness.engine.configure { engine in
      engine.images = ["broken:1", "quick:1", "job:1"]
      engine.startErrors = ["broken:1": "exec: \"x\": not found"]
      engine.instantExits = ["quick:1": 3, "job:1": 0]
    }
    await harness.assign(Fixtures.task(template: Fixtures.template(image: image)))
    try await harness.withAgent { _ in
      try await harness.until("ended") { await harness.state()?.isTerminal == true }
    }
    #expect(await harness.brief() == brief)
    // The engine's code for what it could not start.
    if image == "broken:1" { #expect(await harness.status()?.exitCode == 128) }
  }

  @Test(
    "the engine's reasons are told in swarm's words",
    arguments: [
      (#"Invalid isolation: "process" - linux only supports 'default'"#, "invalid isolation 'process' on linux"), ("x", "x"),
    ])
  func words(engine: String, swarm: String) { #expect(EngineMessages.inSwarmsWords(engine) == swarm) }

  @Test("a task whose spec cannot be carried out costs no pull")
  func unresolvable() async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task(template: Fixtures.template { $0.containerSpec?.env = ["A={{.Nope}}"] }))
    try await harness.withAgent { _ in
      try await harness.until("rejected") { await harness.state() == .rejected }
    }
    #expect(await harness.status()?.message == "resolving controller failed")
    #expect(await harness.engine.calls.isEmpty)
  }

  @Test("a bind mount without source is refused in swarm's words")
  func missingSource() async throws {
    let harness = Harness()
    await harness.engine.configure { $0.missingPaths = ["/x"] }
    let template = Fixtures.template { spec in
      let mounts: JSONValue = [["Type": "bind", "Source": "/x", "Target": "/y"]]
      spec.containerSpec?.mounts = try? GoJSONDecoder().decode([Mount].self, from: mounts)
    }
    await harness.assign(Fixtures.task(template: template))
    try await harness.withAgent { _ in
      try await harness.until("rejected") { await harness.state() == .rejected }
    }
    #expect(await harness.status()?.err == "invalid bind mount source, source path not found: /x")
  }

  @Test("an image that is there by digest is not pulled; a pull that hangs is given up when the task is")
  func images() async throws {
    let harness = Harness()
    let digest = "web@sha256:0123456789012345678901234567890123456789012345678901234567890123"
    await harness.engine.configure { engine in
      engine.images.insert(digest)
      engine.pullsHang = true
    }
    await harness.assign(
      Fixtures.task(template: Fixtures.template(image: digest)),
      Fixtures.task("task2", slot: 2, template: Fixtures.template(image: "slow:1")))
    try await harness.withAgent { _ in
      try await harness.until("the first runs") { await harness.state() == .running }
      try await harness.until("the second is pulling") { await harness.engine.count(of: "pull slow:1") == 1 }
      await harness.desire(.shutdown, of: "task2")
      try await harness.until("given up") { await harness.brief("task2") == "shutdown 'shutdown'" }
    }
    #expect(await harness.engine.count(of: "pull \(digest)") == 0)
  }

  @Test("a private image is pulled with the credentials of the task; ones that cannot be read are as good as none")
  func privateImage() async throws {
    let harness = Harness()
    await harness.engine.configure { engine in
      engine.registry = ["private:1", "private:2", "private:3"]
      engine.credentials = ["private:1": "e30=", "private:2": "e30=", "private:3": "e30="]
    }
    let sealed = try Fixtures.sealer.sealRegistryAuth("e30=", ofService: "service1")
    let stolen = try Fixtures.sealer.sealRegistryAuth("e30=", ofService: "service2")
    let auths = ["1": sealed, "2": stolen, "3": nil]
    await harness.dispatcher.assign { dispatcher in
      for (tag, auth) in auths {
        dispatcher.tasks[tag] = Fixtures.task(
          tag, template: Fixtures.template(image: "private:\(tag)") { $0.registryAuth = auth })
      }
    }
    try await harness.withAgent { _ in
      try await harness.until("the first runs") { await harness.state("1") == .running }
      for tag in ["2", "3"] {
        try await harness.until("rejected") {
          await harness.brief(tag) == "rejected 'preparing' err 'No such image: private:\(tag)'"
        }
      }
    }
  }

  @Test("starts at most four at a time, and all of them")
  func manyTasks() async throws {
    let harness = Harness()
    await harness.dispatcher.assign { dispatcher in
      for slot in 1...30 { dispatcher.tasks["t\(slot)"] = Fixtures.task("t\(slot)", slot: slot) }
    }
    try await harness.withAgent { _ in
      try await harness.until("all run") { await harness.dispatcher.tasks.values.allSatisfy { $0.state == .running } }
    }
    let most = await harness.engine.mostStartsAtOnce
    #expect(most > 1 && most <= 4)
  }

  @Test("statuses reach the leader though it refuses them at first")
  func refusedUpdates() async throws {
    let harness = Harness()
    await harness.dispatcher.refuseUpdates(2)
    await harness.assign(Fixtures.task())
    try await harness.withAgent { _ in
      try await harness.until("running") { await harness.state() == .running }
    }
    let states = await harness.dispatcher.history["task1"]?.map(\.state) ?? []
    #expect(states == states.sorted())
  }

  @Test("a session that ends is opened again, and an older leader is not listened to")
  func sessions() async throws {
    let harness = Harness()
    await harness.dispatcher.assign { $0.term = 3 }
    await harness.assign(Fixtures.task())
    try await harness.withAgent { agent in
      try await harness.until("running") { await harness.state() == .running }
      await harness.dispatcher.endSession()
      try await harness.until("registered again") { await harness.dispatcher.registered.count == 2 }
      #expect(await harness.dispatcher.registered.last?["task1"]?.state == .running)
      await harness.dispatcher.assign { dispatcher in
        dispatcher.term = 2
        dispatcher.tasks = [:]
      }
      await harness.dispatcher.assign { dispatcher in
        dispatcher.term = 3
        dispatcher.tasks = ["task1": Fixtures.task(), "task2": Fixtures.task("task2", slot: 2)]
      }
      try await harness.until("the newer one is followed") { await harness.state("task2") == .running }
    }
    #expect(await harness.engine.count(of: "remove web.1.task1") == 0)
  }
}

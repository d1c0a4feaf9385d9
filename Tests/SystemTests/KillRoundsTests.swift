// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("100 rounds of kill -9 of skepd during changes: nothing acknowledged lost, run twice, restarted or left behind")
  func killRounds() async throws {
    let seed = ProcessInfo.processInfo.environment["SKEP_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...(.max))
    print("seed \(seed): SKEP_SEED=\(seed) repeats the changes and the moments of the kills")
    try await Fixture.with(swarm: true) { n1 in
      try await n1.create("still", replicas: 2, port: 8090)
      let still = try await n1.running("still")
      try await n1.recordingEvents { events in
        var random = SplitMix(state: seed)
        var changes = ServiceChanges(n1)
        for round in 1...100 {
          try await changes.roundUntilKill(after: .milliseconds(Int.random(in: 0...800, using: &random)), &random)
          try await n1.host.start(.skepd)
          try await changes.verify(round)
        }
        try await n1.expectAllAccountedFor(changes, still: still)
        let starts = try await n1.expectNoSlotTwice(events)
        print(
          "\(changes.acknowledgements) changes acknowledged, \(changes.undone) cut off and not done; \(starts) containers started"
        )
      }
    }
  }
}

/// A generator that repeats its numbers for a seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A stream of changes to some services, with what the API has acknowledged of them.
private struct ServiceChanges {
  /// What a service is to be. `revision` is a label on it that every change raises.
  struct Wanted: Equatable {
    var revision: Int
    var replicas: Int
    /// Goes into the environment: another one makes other tasks.
    var build: Int
    var port: Int
  }

  let n1: Fixture
  private(set) var acknowledged: [String: Wanted] = [:]
  /// The change whose answer the kill cut off: nil as a value is a removal.
  private var unanswered: (name: String, wanted: Wanted?)?
  private var revision = 0
  private(set) var acknowledgements = 0
  private(set) var undone = 0

  init(_ n1: Fixture) { self.n1 = n1 }

  /// One change after the other until skepd is dead.
  mutating func roundUntilKill(after delay: Duration, _ random: inout some RandomNumberGenerator) async throws {
    async let killed: Void = {
      try await Task.sleep(for: delay)
      try await n1.host.kill(.skepd)
    }()
    while unanswered == nil { try await change(&random) }
    try await killed
  }

  private mutating func change(_ random: inout some RandomNumberGenerator) async throws {
    revision += 1
    let number = Int.random(in: 1...3, using: &random)
    let name = "s\(number)"
    var wanted = acknowledged[name]
    let kind = Int.random(in: 0...9, using: &random)
    let replicas = Int.random(in: 0...2, using: &random)
    switch (wanted, kind) {
    case (nil, _): wanted = Wanted(revision: revision, replicas: replicas, build: revision, port: 8090 + number)
    case (.some, 0...1): wanted = nil
    case (.some, 2...5): wanted?.build = revision
    case (.some, _): wanted?.replicas = replicas
    }
    wanted?.revision = revision
    let answer = try await send(name, wanted)
    switch answer.status {
    case 200..<300:
      acknowledged[name] = wanted
      acknowledgements += 1
    case 0: unanswered = (name, wanted)
    default: Issue.record("\(name) to \(String(describing: wanted)): \(answer.status) \(answer.body)")
    }
  }

  private func send(_ name: String, _ wanted: Wanted?) async throws -> APIAnswer {
    guard let wanted else { return try await n1.api("DELETE", "/services/\(name)") }
    guard acknowledged[name] != nil else { return try await n1.api("POST", "/services/create", body: spec(name, wanted)) }
    let current = try await n1.api("GET", "/services/\(name)")
    guard current.status == 200 else { return current }
    let version = try current.decoded(APIService.self).version.index
    return try await n1.api("POST", "/services/\(name)/update?version=\(version)", body: spec(name, wanted))
  }

  private func spec(_ name: String, _ wanted: Wanted) -> String {
    """
    {"Name": "\(name)", "Labels": {"revision": "\(wanted.revision)", "skep.drain.timeout": "200ms"},
     "TaskTemplate": {
       "ContainerSpec": {"Image": "skep-web", "Env": ["BUILD=\(wanted.build)"], "StopGracePeriod": 1000000000},
       "RestartPolicy": {"Delay": 100000000}},
     "Mode": {"Replicated": {"Replicas": \(wanted.replicas)}},
     "UpdateConfig": {"Parallelism": 1, "Order": "stop-first"},
     "EndpointSpec": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": \(wanted.port)}]}}
    """
  }

  /// After a restart all that was acknowledged is there, and what was cut off is there as a whole or not at all.
  mutating func verify(_ round: Int) async throws {
    let found = try await services()
    if let unanswered {
      let isDone = found[unanswered.name]?.revision == unanswered.wanted?.revision
      if isDone { acknowledged[unanswered.name] = unanswered.wanted } else { undone += 1 }
    }
    unanswered = nil
    try #require(found == acknowledged, "after round \(round)")
  }

  private func services() async throws -> [String: Wanted] {
    let all: [APIService] = try await n1.api("GET", "/services").decoded()
    return Dictionary(
      all.filter { $0.spec.labels["revision"] != nil }.map { ($0.spec.name, Wanted($0)) }, uniquingKeysWith: { first, _ in first }
    )
  }
}

extension ServiceChanges.Wanted {
  fileprivate init(_ service: APIService) {
    let spec = service.spec
    revision = spec.labels["revision"].flatMap { Int($0) } ?? 0
    replicas = spec.mode.replicated.replicas
    build = spec.task.container.env?.first.flatMap { Int($0.dropFirst("BUILD=".count)) } ?? 0
    port = spec.endpoint.ports?.first?.published ?? 0
  }
}

extension Fixture {
  /// Writes the starts and ends of all containers to a file, as the engine itself tells them.
  fileprivate func recordingEvents(_ body: (String) async throws -> Void) async throws {
    let file = "\(host.directory)/events"
    let command = host.dockerCommand(
      ["events", "--filter", "type=container", "--filter", "event=start", "--filter", "event=die", "--format", "{{json .}}"],
      via: .engine)
    let recording = Command(
      "sh", ["-c", #"exec "$@" >"$0""#, file, command.executable] + command.arguments, environment: command.environment)
    try await withThrowingTaskGroup { group in
      group.addTask { _ = try? await recording.run() }
      try await body(file)
      group.cancelAll()
    }
  }

  fileprivate func expectNoSlotTwice(_ file: String) async throws -> Int {
    struct Event: Decodable {
      struct Actor: Decodable {
        var id: String
        var attributes: [String: String]
        enum CodingKeys: String, CodingKey { case id = "ID", attributes = "Attributes" }
      }
      var action: String
      var actor: Actor
      enum CodingKeys: String, CodingKey { case action = "Action", actor = "Actor" }
    }
    let text = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    var running: [String: String] = [:]
    var starts = 0
    for line in text.split(separator: "\n") {
      let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
      let attributes = event.actor.attributes
      // NAME.SLOT.ID: the slot is what comes before the task's id.
      let task = attributes["com.docker.swarm.task.name"] ?? ""
      let slot = (attributes["com.docker.swarm.service.id"] ?? "") + "." + (task.split(separator: ".").dropLast().last ?? "")
      if event.action == "start" {
        starts += 1
        #expect(running[slot] == nil, "\(task) started while \(running[slot] ?? "") ran")
        running[slot] = task
      } else if running[slot] == task {
        running[slot] = nil
      }
    }
    #expect(starts > 50, "the rounds changed something")
    return starts
  }

  fileprivate func expectAllAccountedFor(_ changes: ServiceChanges, still: Set<String>) async throws {
    #expect(changes.acknowledgements > 100)
    for (name, wanted) in changes.acknowledged { try await settled(name, wanted.replicas) }
    #expect(try await running("still") == still)
    try await wait("every container has a task, and every listener a service") {
      let tasks = Set(try await tasks().map(\.id))
      let strangers = try await containers().filter { !tasks.contains($0.task) }
      let ports = try await listeningPorts()
      return strangers.isEmpty && ports == Set(changes.acknowledged.values.map(\.port) + [8090, managerPort])
    }
    for name in changes.acknowledged.keys { try await docker("service", "rm", name) }
    try await wait("only the untouched service is left") {
      let containers = Set(try await containers().map(\.id))
      let (tasks, ports) = (try await tasks(), try await listeningPorts())
      return containers == still && tasks.count == 2 && ports == [8090, managerPort]
    }
  }
}

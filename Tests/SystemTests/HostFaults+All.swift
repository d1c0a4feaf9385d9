// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension HostFaults {
  /// The service, with tasks on every host.
  func prepare() async throws {
    try await fixture.docker(
      "service", "create", "--quiet", "--detach", "--name", "web", "--replicas", "\(Self.replicas)", "--publish", "8080:80",
      "--label", "skep.drain.timeout=2s", "--stop-grace-period", "3s", "--restart-delay", "100ms", "--update-parallelism", "2",
      "--update-delay", "0s", "--update-monitor", "100ms", "skep-web")
    try await allAnswer()
  }

  /// No host is lost three times: it would get no tasks for a while.
  func all() async throws {
    let (n2, n3) = (cluster.n2, cluster.n3)
    try await drain(n3)
    try await lose(n2, Self.hanging, "hung", { try await $0.pause() }, "awake", { try $0.resume() })
    try await lose(n3, Self.silent, "killed", { try await $0.kill(.all) }, "started", { try await $0.start() })
    try await lose(n2, Self.silent, "cut", { try await $0.cut() }, "healed", { try await $0.heal() })
    try await lose(n3, Self.silent, "paused", Self.pause, "resumed", Self.resume)
    try await reboot(n3)
    for host in [n3, fixture.host] { try await upgrade(host) }
    try await leaveAndJoin(n3)
  }

  /// As a hypervisor does, which stops the kernel too: for that the cable stands.
  private static func pause(_ host: PlaygroundKit.Host) async throws {
    try await host.cut()
    try await host.pause()
  }

  private static func resume(_ host: PlaygroundKit.Host) async throws {
    try host.resume()
    try await host.heal()
  }

  private func drain(_ host: PlaygroundKit.Host) async throws {
    try await happen("\(host.name) drained") {
      try await fixture.docker("node", "update", "--availability", "drain", host.name)
      try await isEmpty(host)
    }
    try await fixture.docker("node", "update", "--availability", "active", host.name)
    try await spread()
  }

  private func lose(
    _ host: PlaygroundKit.Host, _ patience: Double, _ what: String, _ loss: (PlaygroundKit.Host) async throws -> Void,
    _ return: String,
    _ back: (PlaygroundKit.Host) async throws -> Void
  ) async throws {
    try await happen("\(host.name) \(what)", patience: patience) { try await loss(host) }
    try await fixture.wait("what \(host.name) had runs elsewhere") {
      try await cluster.runWithout(host.name, count: Self.replicas)
    }
    // Not to wait for something: longer than clients wait, so that the host's return saves none of theirs.
    try await Task.sleep(for: .seconds(6))
    try await happen("\(host.name) \(`return`)") {
      try await back(host)
      try await isEmpty(host)
      try await areTogether()
    }
    try await spread()
  }

  /// In good order, but nobody has drained it: what runs there is lost. It has said that it will be back, and nothing is replaced.
  private func reboot(_ host: PlaygroundKit.Host) async throws {
    try await happen("\(host.name) shut down", patience: Self.silent) { try await host.stop(.all) }
    try await happen("\(host.name) started again") {
      try await host.start()
      try await areTogether()
      try await allAnswer()
    }
    try await spread()
  }

  private func upgrade(_ host: PlaygroundKit.Host) async throws {
    try await happen("skepd of \(host.name) upgraded") {
      try await host.stop(.skepd)
      try await host.start(.skepd)
      try await areTogether()
      try await allAnswer()
    }
  }

  /// Drained first: what leaves at once ends its tasks at once.
  private func leaveAndJoin(_ host: PlaygroundKit.Host) async throws {
    try await happen("\(host.name) left") {
      try await fixture.docker("node", "update", "--availability", "drain", host.name)
      try await isEmpty(host)
      try await host.checkedDocker(["swarm", "leave"])
      try await fixture.docker("node", "rm", host.name)
    }
    let token = try await fixture.docker("swarm", "join-token", "--quiet", "worker")
    try await happen("\(host.name) joined") {
      #expect(try await cluster.join(host, token).succeeded)
      try await areTogether()
    }
    try await spread()
  }

  /// By its engine itself, whatever the manager knows.
  private func isEmpty(_ host: PlaygroundKit.Host) async throws {
    try await fixture.wait("nothing runs on \(host.name)") { try await host.docker(["ps", "--quiet"], via: .engine).lines == [] }
  }

  private func areTogether() async throws {
    try await fixture.wait("all hosts are there", .seconds(60)) { try await cluster.states() == "n1 Ready, n2 Ready, n3 Ready" }
  }

  /// A host that came back gets its share, which is a change like any other.
  private func spread() async throws {
    try await happen("tasks spread") {
      let before = Set(try await cluster.ids())
      try await fixture.docker("service", "update", "--quiet", "--detach", "--force", "web")
      try await fixture.wait("all tasks are new", .seconds(60)) { try await before.isDisjoint(with: cluster.ids()) }
      try await allAnswer()
    }
    let found = try await cluster.tasks()
    for host in ["n1", "n2", "n3"] { #expect(found.contains { $0.contains(" \(host) ") }, "\(host) has some: \(found)") }
  }

  private func allAnswer() async throws {
    try await fixture.wait("the tasks run") { try await cluster.runWithout("", count: Self.replicas) }
    try await fixture.answering(Self.replicas)
  }
}

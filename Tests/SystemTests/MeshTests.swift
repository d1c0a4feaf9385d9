// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  /// Both ways of each: the packet filter carries what comes from outside, unless the label says that the relay is to.
  @Test(
    "A published port answers on every host, and the container sees who asks", .timeLimit(.minutes(5)), arguments: ["on", "off"])
  func everyHost(_ offload: String) async throws {
    try await Cluster.withWorkers { cluster in
      try await cluster.publish(offload)
      try await cluster.keptEverywhere(offload)
      try await cluster.insideServed()
      try await cluster.samePorts()
      try await cluster.changesUnderLoad()
      try await cluster.repairs()
    }
  }

  @Test("A cut host gets no connections within the blink of an eye, and some again when it is back", .timeLimit(.minutes(3)))
  func cutHost() async throws {
    try await Cluster.withWorkers { cluster in
      try await cluster.publish("on")
      async let load = cluster.clientLines(["load", "10.77.0.1", "8", "100"])
      // Not to wait for something: traffic that meets the cut.
      try await Task.sleep(for: .seconds(2))
      try await cluster.n2.cut()
      let cut = FailedRequest.now
      let failures = try FailedRequest.all(in: await load)
      // What was under way to the lost host is lost. With room for a busy machine, what began a second later is not.
      #expect(failures.filter { $0.began > cut + 1 } == [], "cut at \(cut)")
      #expect(failures.count < 20)
      try await cluster.n2.heal()
      try await cluster.fixture.wait("tasks run on n2 or could", .seconds(30)) {
        try await cluster.fixture.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").contains("n2 Ready")
      }
    }
  }
}

extension Cluster {
  /// Both workers have joined.
  static func withWorkers(_ body: @Sendable (Cluster) async throws -> Void) async throws {
    try await Cluster.with { cluster in
      try await cluster.fixture.docker("swarm", "init")
      let token = try await cluster.fixture.docker("swarm", "join-token", "--quiet", "worker")
      for host in [cluster.n2, cluster.n3] { #expect(try await cluster.join(host, token).succeeded) }
      try await body(cluster)
    }
  }

  /// Three tasks on the workers, none on the manager.
  fileprivate func publish(_ offload: String) async throws {
    try await fixture.docker(
      "service", "create", "--quiet", "--detach", "--name", "web", "--replicas", "3", "--publish", "8080:80", "--publish",
      "published=8053,target=80,protocol=udp", "--constraint", "node.role==worker", "--label", "skep.lb.offload=\(offload)",
      "--label", "skep.drain.timeout=2s", "--stop-grace-period", "3s", "--restart-delay", "100ms", "skep-web")
    for host in hosts {
      try await fixture.wait("all tasks answer by \(host.name)") { try await Set(answers(of: host)).count == 3 }
    }
  }

  private func answers(of host: PlaygroundKit.Host, _ path: String = "/", count: Int = 6) async throws -> [String] {
    let urls = [String](repeating: "http://\(host.address):8080\(path)", count: count)
    return try await fixture.client.exec(["curl", "--silent", "--max-time", "5", "--header", "Connection: close"] + urls).lines
      .map { String($0) }
  }

  /// By TCP and UDP, with tasks there, elsewhere, and both.
  fileprivate func keptEverywhere(_ offload: String) async throws {
    let client = fixture.client.address
    for host in hosts {
      try await fixture.wait("\(host.name) keeps addresses") { try await Set(answers(of: host, "/peer")) == [client] }
      let datagrams = try await self.client("datagrams", host.address, "8053", "9")
      #expect(datagrams == client, "UDP by \(host.name)")
    }
    let rules = try await fixture.host.exec(["nft", "list", "tables"]).text
    #expect(rules.contains("skep-offload") == (offload == "on"))
  }

  /// Hosts, by address and loopback, and containers of all kinds: through each host, to tasks on each.
  fileprivate func insideServed() async throws {
    for entry in hosts {
      for host in hosts {
        let seen = try await host.exec(
          ["curl", "--silent", "--max-time", "5"] + [String](repeating: "http://\(entry.address):8080/peer", count: 4))
        #expect(seen.lines.count == 4 && seen.lines.allSatisfy { $0.hasPrefix("10.0.") }, "\(host.name) by \(entry.name)")
      }
      let container = try await n2.checkedDocker(
        ["run", "--rm", "skep-web", "wget", "-q", "-O-", "http://\(entry.address):8080/peer"])
      #expect(!container.text.isEmpty, "a container of n2 by \(entry.name)")
      let task = try await n3.checkedDocker(["ps", "--quiet", "--filter", "name=web"]).lines.first.map { String($0) } ?? ""
      for _ in 1...3 {
        let hairpin = try await n3.checkedDocker(["exec", task, "wget", "-q", "-O-", "http://\(entry.address):8080/peer"])
        #expect(!hairpin.text.isEmpty, "a task of n3, itself included, by \(entry.name)")
      }
    }
    #expect(try await fixture.host.exec(["curl", "--silent", "http://127.0.0.1:8080/peer"]).text.hasPrefix("10.0."))
  }

  /// One client, one port of its own, every entry at once, one task: connections that only their way tells apart. And so many from all
  /// entries that the hosts choose the same ports again and again.
  fileprivate func samePorts() async throws {
    try await fixture.docker("service", "scale", "--detach", "web=1")
    try await fixture.wait("one task is left") { try await Set(answers(of: fixture.host)).count == 1 }
    let addresses = hosts.map(\.address)
    #expect(try await client(["same", "5556"] + addresses) == "0 failed")
    #expect(try await client(["many", "1500"] + addresses) == "0 failed")
    try await fixture.docker("service", "scale", "--detach", "web=3")
    try await fixture.wait("all tasks answer again") { try await Set(answers(of: fixture.host)).count == 3 }
  }

  /// Connections stay with who has them, the packet filter or the relay, whatever becomes of the rules.
  fileprivate func changesUnderLoad() async throws {
    async let load = fixture.client.requests("http://\(n3.address):8080/", count: 8_000, parallel: 4)
    async let held = fixture.client.requests("http://\(n2.address):8080/slow?ms=20", count: 400, parallel: 4, keepAlive: true)
    for strategy in ["random", "least-connections", "ip-hash", "round-robin"] {
      try await fixture.docker(
        "service", "update", "--detach", "--quiet", "--label-add", "skep.lb.strategy=\(strategy)", "web")
      // Not to wait for something: some traffic by each.
      try await Task.sleep(for: .milliseconds(500))
    }
    #expect(try await load.failures == [:])
    #expect(try await held.failures == [:])
  }

  /// What somebody takes away comes back.
  fileprivate func repairs() async throws {
    _ = try await fixture.host.exec(["ip", "link", "delete", "skep-tunnel"])
    _ = try await fixture.host.exec(["nft", "flush", "ruleset"])
    try await fixture.wait("the way to other hosts is back") {
      try await Set(answers(of: fixture.host, "/peer")) == [fixture.client.address]
    }
  }

  /// A command of `Fixtures/clients.py`, run outside; what it says last.
  fileprivate func client(_ arguments: String...) async throws -> String { try await client(arguments) }

  fileprivate func client(_ arguments: [String]) async throws -> String {
    try await clientLines(arguments).last ?? ""
  }
}

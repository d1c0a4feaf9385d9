// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("Services on overlay networks: names, addresses, other hosts, and nobody else", .timeLimit(.minutes(5)))
  func overlays() async throws {
    try await Cluster.withWorkers { cluster in
      try await cluster.makeNetworks()
      try await cluster.namesAnswer()
      try await cluster.addressesAnswer()
      try await cluster.isolated()
      try await cluster.publishedToo()
      try await cluster.overlaysRepaired()
      try await cluster.networksGo()
    }
  }

  @Test("A service's address on an overlay network, while its tasks come, go and are lost", .timeLimit(.minutes(4)))
  func overlayChanges() async throws {
    try await Cluster.withWorkers { cluster in
      try await cluster.fixture.docker("network", "create", "--driver", "overlay", "back")
      try await cluster.service(
        "web", "--replicas", "4", "--network", "back", "--health-cmd", "wget -q -O- http://127.0.0.1/health", "--health-interval",
        "500ms")
      try await cluster.service("load", "--replicas", "1", "--network", "back", "--constraint", "node.hostname==n1")
      try await cluster.requestsGoOn()
      try await cluster.lostEndpointsAreLeft()
    }
  }
}

extension Cluster {
  func service(_ name: String, _ more: String...) async throws {
    try await fixture.host.checkedDocker(
      [
        "service", "create", "--quiet", "--detach", "--name", name, "--stop-grace-period", "2s", "--label",
        "skep.drain.timeout=3s",
      ]
        + more + ["skep-web"])
    try await fixture.wait("\(name) runs") { try await isComplete(name) }
  }

  /// All tasks run: of a global service one on each host.
  private func isComplete(_ name: String) async throws -> Bool {
    let format = "{{.Name}} {{.Mode}} {{.Replicas}}"
    let services = try await fixture.docker("service", "ls", "--filter", "name=\(name)", "--format", format)
    return services.split(separator: "\n").map { $0.split(separator: " ") }.contains { fields in
      let counts = fields.last?.split(separator: "/").compactMap { Int($0) } ?? []
      let wanted = fields.dropFirst().first == "global" ? hosts.count : counts.last
      return fields.first == name[...] && counts.count == 2 && counts.first == wanted
    }
  }

  /// Runs a program in the container of a service's task on a host.
  func inside(_ service: String, on host: PlaygroundKit.Host, _ command: String...) async throws -> CommandResult {
    try await inside(service, on: host, command)
  }

  func inside(_ service: String, on host: PlaygroundKit.Host, _ command: [String]) async throws -> CommandResult {
    let task = try await host.checkedDocker(["ps", "--quiet", "--filter", "label=com.docker.swarm.service.name=\(service)"])
    return try await host.docker(["exec", try #require(task.lines.first, "\(service) on \(host.name)")] + command)
  }

  private func get(_ url: String, from service: String, on host: PlaygroundKit.Host, times: Int = 1) async throws -> [String] {
    let loop = "i=0; while [ $i -lt \(times) ]; do timeout 5 wget -q -O- \(url); i=$((i+1)); done"
    return try await inside(service, on: host, "sh", "-c", loop).lines
  }

  private func addresses(of name: String, from service: String, on host: PlaygroundKit.Host) async throws -> [String] {
    try await inside(service, on: host, "nslookup", name).lines.filter { $0.hasPrefix("Address: ") }
      .map { String($0.dropFirst("Address: ".count)) }.sorted()
  }

  fileprivate func makeNetworks() async throws {
    for (name, more) in [("front", []), ("back", ["--subnet", "10.50.0.0/24"]), ("shut", ["--internal"])] {
      try await fixture.host.checkedDocker(["network", "create", "--driver", "overlay"] + more + [name])
    }
    // On every host one of each; `client` alone is on all networks, `stranger` on another.
    try await service("web", "--mode", "global", "--network", "name=back,alias=w")
    try await service("round", "--mode", "global", "--network", "back", "--endpoint-mode", "dnsrr")
    try await service("hidden", "--mode", "global", "--network", "shut")
    try await service("client", "--mode", "global", "--network", "back", "--network", "shut", "--network", "front")
    try await service("stranger", "--mode", "global", "--network", "front")
    for host in hosts {
      let networks = try await host.checkedDocker([
        "network", "ls", "--filter", "driver=overlay", "--format", "{{.Name}} {{.Scope}}",
      ])
      #expect(Set(networks.lines).isSuperset(of: ["back swarm", "front swarm", "shut swarm"]), "\(host.name)")
    }
  }

  /// The first question of a container that has just begun too.
  fileprivate func namesAnswer() async throws {
    let service = try await fixture.docker(
      "service", "inspect", "web", "--format", "{{range .Endpoint.VirtualIPs}}{{.Addr}}{{end}}")
    let virtualIP = String(service.prefix { $0 != "/" })
    #expect(virtualIP.hasPrefix("10.50.0."))
    for host in hosts {
      for name in ["web", "w", "WEB", "web.back"] {
        #expect(try await addresses(of: name, from: "client", on: host) == [virtualIP], "\(name) on \(host.name)")
      }
      #expect(try await addresses(of: "tasks.web", from: "client", on: host).count == 3)
      #expect(try await addresses(of: "round", from: "client", on: host).count == 3)
      #expect(try await addresses(of: "nobody", from: "client", on: host) == [])
      #expect(try await addresses(of: "web", from: "stranger", on: host) == [])
      // Without a way out, but with names.
      #expect(try await addresses(of: "hidden", from: "hidden", on: host).count == 1)
    }
    let first = try await fixture.host.checkedDocker([
      "service", "create", "--quiet", "--name", "first", "--network", "back", "--restart-condition", "none", "skep-web", "sh",
      "-c",
      "wget -q -O- http://web/; echo done $?; sleep 100",
    ])
    #expect(!first.text.isEmpty)
    try await fixture.wait("the first question was answered right") {
      try await fixture.docker("service", "logs", "--raw", "first").contains("done 0")
    }
    try await fixture.docker("service", "rm", "first")
  }

  /// By a service's address in turn, and with the client's own address kept.
  fileprivate func addressesAnswer() async throws {
    for host in hosts {
      let names = try await get("http://web/", from: "client", on: host, times: 6)
      #expect(names.count == 6 && Set(names).count == 3, "\(names)")
      #expect(Set(names.prefix(3)) == Set(names.suffix(3)), "\(names)")
      let own = try await inside("client", on: host, "ip", "-4", "-o", "addr").text
      for seen in try await get("http://web/peer", from: "client", on: host, times: 3) { #expect(own.contains(" \(seen)/")) }
      #expect(try await get("http://round/", from: "client", on: host, times: 3).count == 3)
      #expect(try await get("http://hidden/", from: "client", on: host, times: 3).count == 3)
    }
  }

  /// By address, since names are told to nobody else anyway.
  fileprivate func isolated() async throws {
    let backs = try await addresses(of: "tasks.web", from: "client", on: n2)
    for host in hosts {
      for address in backs {
        let found = try await inside("stranger", on: host, "nc", "-w", "2", address, "80")
        #expect(!found.succeeded, "\(address) from another network on \(host.name)")
      }
    }
    // Out of a network, and not out of an internal one.
    let outside = fixture.client.address
    #expect(try await inside("stranger", on: n2, "ping", "-c", "1", "-W", "2", outside).succeeded)
    #expect(try await !inside("hidden", on: n2, "ping", "-c", "1", "-W", "2", outside).succeeded)
  }

  /// The container sees who asks from outside, also when it is on user networks; and answers at the network as before.
  fileprivate func publishedToo() async throws {
    try await fixture.docker("service", "update", "--quiet", "--detach", "--publish-add", "8080:80", "web")
    for host in hosts {
      try await fixture.wait("\(host.name) keeps addresses") {
        let seen = try await fixture.client.exec(
          ["curl", "--silent", "--max-time", "5", "--header", "Connection: close"]
            + [String](repeating: "http://\(host.address):8080/peer", count: 4))
        return seen.lines == [String](repeating: fixture.client.address, count: 4)
      }
    }
    try await fixture.wait("all are new") { try await isComplete("web") }
    #expect(try await get("http://web/", from: "client", on: n3, times: 3).count == 3)
  }

  /// What somebody takes away comes back.
  fileprivate func overlaysRepaired() async throws {
    let tunnels = try await n2.exec(["ip", "-o", "link", "show", "type", "vxlan"]).lines.compactMap { line in
      line.split(separator: ": ").dropFirst().first.map { String($0.prefix { $0 != "@" }) }
    }.filter { $0.hasPrefix("skep-t") && $0 != "skep-tunnel" }
    #expect(tunnels.count == 3)
    for tunnel in tunnels { _ = try await n2.exec(["ip", "link", "delete", tunnel]) }
    try await fixture.wait("other hosts are reached again") {
      try await Set(get("http://web/", from: "client", on: n2, times: 3)).count == 3
    }
    // Between two services a network looks unused to the engine.
    _ = try await n2.checkedDocker(["network", "prune", "--force"])
    #expect(try await get("http://web/", from: "client", on: n2).count == 1)
  }

  fileprivate func networksGo() async throws {
    #expect(try await fixture.refusal("network", "rm", "back").contains("is in use by service"))
    try await fixture.docker("service", "rm", "web", "round", "hidden", "client", "stranger")
    try await fixture.wait("they can be removed") {
      try await fixture.host.docker(["network", "rm", "back", "front", "shut"]).succeeded
    }
    for host in hosts {
      try await fixture.wait("\(host.name) has nothing left of them") {
        let links = try await host.exec(["ip", "-o", "link"]).text
        return !links.contains("skep-t4") && !links.contains("skep-n4")
      }
    }
  }
}

extension Cluster {
  /// A planned change costs a client on the network nothing.
  fileprivate func requestsGoOn() async throws {
    let loop =
      "i=0; bad=0; while [ $i -lt 1500 ]; do timeout 5 wget -q -O/dev/null http://web/ || bad=$((bad+1)); i=$((i+1)); done; echo bad $bad"
    async let load = inside("load", on: fixture.host, "sh", "-c", loop)
    try await fixture.docker("service", "scale", "--detach", "web=2")
    try await fixture.docker("service", "update", "--quiet", "--detach", "--force", "web")
    // Not to wait for something: some traffic in between.
    try await Task.sleep(for: .seconds(3))
    try await fixture.docker("service", "scale", "--detach", "web=4")
    try await fixture.docker("node", "update", "--availability", "drain", "n3")
    let said = try await load.text
    #expect(said == "bad 0")
    try await fixture.docker("node", "update", "--availability", "active", "n3")
    try await fixture.docker("service", "update", "--quiet", "--detach", "--force", "web")
    try await fixture.wait("all run again") { try await isComplete("web") }
  }

  /// A client learns at once that a lost host's tasks are gone.
  fileprivate func lostEndpointsAreLeft() async throws {
    try await n2.cut()
    // One second later, with room for a busy machine, every request is answered.
    try await Task.sleep(for: .seconds(1))
    let begin = ContinuousClock.now
    let answers = try await inside(
      "load", on: fixture.host, "sh", "-c", "i=0; while [ $i -lt 20 ]; do timeout 5 wget -q -O- http://web/; i=$((i+1)); done")
    #expect(answers.lines.count == 20 && ContinuousClock.now - begin < .seconds(5))
    try await n2.heal()
  }
}

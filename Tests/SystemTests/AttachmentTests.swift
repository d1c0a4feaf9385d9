// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("docker run and docker network connect on an attachable network, on any host", .timeLimit(.minutes(4)))
  func attachable() async throws {
    try await Cluster.withWorkers { cluster in
      try await cluster.fixture.docker(
        "network", "create", "--driver", "overlay", "--attachable", "--subnet", "10.60.0.0/24", "side")
      try await cluster.fixture.docker("network", "create", "--driver", "overlay", "shut")
      try await cluster.service("web", "--mode", "global", "--network", "side")
      try await cluster.guestsTalk()
      try await cluster.guestsAreRefused()
      try await cluster.guestsStay()
      try await cluster.guestsGo()
    }
  }
}

extension Cluster {
  /// Runs a program in a container that is no task.
  private func inside(guest name: String, on host: PlaygroundKit.Host, _ command: String) async throws -> [String] {
    try await host.docker(["exec", name, "sh", "-c", command]).lines
  }

  /// With services, and with each other, by name.
  fileprivate func guestsTalk() async throws {
    for host in hosts {
      try await host.checkedDocker([
        "run", "--detach", "--restart", "always", "--name", "guest-\(host.name)", "--network", "side", "--network-alias", "any",
        "skep-web",
      ])
    }
    try await n3.checkedDocker(["run", "--detach", "--name", "fixed", "--network", "side", "--ip", "10.60.0.77", "skep-web"])
    try await fixture.host.checkedDocker(["run", "--detach", "--name", "late", "skep-web"])
    try await fixture.host.checkedDocker(["network", "connect", "side", "late"])
    for host in hosts {
      let guest = "guest-\(host.name)"
      let names = try await inside(guest: guest, on: host, "for i in 1 2 3; do timeout 5 wget -q -O- http://web/; done")
      #expect(Set(names).count == 3, "\(host.name): \(names)")
      for other in hosts.map({ "guest-\($0.name)" }) + ["fixed", "late", "any"] {
        try await fixture.wait("\(other) is known on \(host.name)") {
          try await inside(guest: guest, on: host, "timeout 5 wget -q -O- http://\(other)/").count == 1
        }
      }
      let seen = try await inside("web", on: host, "timeout", "5", "wget", "-q", "-O-", "http://guest-n1/peer").text
      #expect(seen.hasPrefix("10.60.0."))
    }
    let addresses = try await inside(guest: "guest-n1", on: fixture.host, "nslookup any").filter { $0.hasPrefix("Address: ") }
    #expect(Set(addresses).count == 3)
    #expect(try await inside(guest: "guest-n1", on: fixture.host, "nslookup fixed").contains("Address: 10.60.0.77"))
  }

  fileprivate func guestsAreRefused() async throws {
    let shut = try await n2.docker(["run", "--rm", "--network", "shut", "skep-web", "true"])
    #expect(
      shut.stderr.contains(
        "Could not attach to network shut: rpc error: code = PermissionDenied desc = network shut not manually attachable"))
    let taken = try await n2.docker(["run", "--rm", "--network", "side", "--ip", "10.60.0.77", "skep-web", "true"])
    #expect(taken.stderr.contains("address 10.60.0.77 is not free on network side"))
    #expect(
      try await n2.docker(["run", "--rm", "--network", "nothing", "skep-web", "true"]).stderr.contains(
        "network nothing not found"))
    #expect(try await fixture.refusal("network", "rm", "side").contains("is in use by"))
  }

  /// Through the end of a host, without asking anybody: the address is the container's for as long as it is there.
  fileprivate func guestsStay() async throws {
    let before = try await inside(guest: "guest-n1", on: fixture.host, "nslookup guest-n2")
    try await n2.reboot()
    try await fixture.wait("the container is there again", .seconds(60)) {
      try await inside(guest: "guest-n1", on: fixture.host, "timeout 5 wget -q -O- http://guest-n2/").count == 1
    }
    #expect(try await inside(guest: "guest-n1", on: fixture.host, "nslookup guest-n2") == before)
    try await fixture.wait("services answer it") {
      try await inside(guest: "guest-n2", on: n2, "timeout 5 wget -q -O- http://web/").count == 1
    }
  }

  fileprivate func guestsGo() async throws {
    try await fixture.host.checkedDocker(["network", "disconnect", "side", "late"])
    try await fixture.wait("who was disconnected is not known any more") {
      try await inside(guest: "guest-n1", on: fixture.host, "nslookup late").filter { $0.hasPrefix("Address: ") }.isEmpty
    }
    for host in hosts { try await host.checkedDocker(["rm", "--force", "--volumes", "guest-\(host.name)"]) }
    try await n3.checkedDocker(["rm", "--force", "fixed"])
    try await fixture.docker("service", "rm", "web")
    try await fixture.wait("the network can be removed", .seconds(40)) {
      try await fixture.host.docker(["network", "rm", "side"]).succeeded
    }
  }
}

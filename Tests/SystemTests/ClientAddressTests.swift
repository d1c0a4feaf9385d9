// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A container sees the client's own address; clients inside are served from the host's")
  func clientAddress() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      try await n1.expectKept()
      let bridge = "10.0.0.1"

      #expect(try await n1.host.exec(["curl", "--silent", n1.url("/peer")]).text == bridge, "the host, by its address")
      #expect(try await n1.host.exec(["curl", "--silent", "http://127.0.0.1:8080/peer"]).text == bridge, "the host, by loopback")
      #expect(try await n1.docker("run", "--rm", "skep-web", "wget", "-q", "-O-", n1.url("/peer")) == bridge, "a container")
      let task = try await n1.docker("ps", "--quiet", "--filter", "name=web.1")
      for _ in 1...2 {
        #expect(try await n1.docker("exec", task, "wget", "-q", "-O-", n1.url("/peer")) == bridge, "a task, itself included")
      }
      let upload = try await n1.client.exec(
        ["curl", "--silent", "--fail", "--data-binary", "@/proc/self/exe", n1.url("/peer")])
      #expect(upload.text == n1.client.address, "an upload of many packets")
    }
  }

  @Test(
    "So does one that is on other networks too, by TCP and UDP, across relays that are killed and replaced",
    arguments: ["on", "off"])
  func clientAddressOnOtherNetworks(offload: String) async throws {
    try await Fixture.with { n1 in
      try await n1.create(
        "web", replicas: 1, "--network", "bridge", "--publish", "published=8053,target=80,protocol=udp", "--label",
        "skep.lb.offload=\(offload)")
      try await n1.expectKept()
      try await n1.expectKeptDatagrams()
      let task = try await n1.docker("ps", "--quiet", "--filter", "name=web.1")
      async let long = n1.client.requests(n1.url("/drip?ms=5000"), count: 2, parallel: 2)
      try await n1.held(2)
      // Before and after the engine's bridge by name: its default route goes by that.
      for network in ["aside", "side"] {
        try await n1.docker("network", "create", network)
        try await n1.docker("network", "connect", network, task)
        try await n1.expectKept()
        try await n1.expectKeptDatagrams()
        try await n1.expectInsideServed(from: network)
      }
      #expect(try await long.failures == [:])
      for filter in 0...2 {
        for interface in ["all", "skep-ingress", "eth0"] { try await n1.setPathFilter(interface, filter) }
        #expect(try await n1.get("/peer") == n1.client.address, "rp_filter \(filter)")
      }
      try await n1.host.kill(.relay)
      try await n1.expectKept()
      try await n1.expectKeptDatagrams()
      try await n1.upgradeRelay()
      try await n1.expectKept()
      try await n1.expectKeptDatagrams()
      try await n1.docker("network", "disconnect", "aside", task)
      try await n1.expectKept()
    }
  }

  @Test(
    "Rules that somebody flushes are put back, a killed relay keeps addresses again, and leaving takes all of it away",
    arguments: ["on", "off"])
  func clientAddressRules(offload: String) async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 1, "--label", "skep.lb.offload=\(offload)")
      try await n1.expectKept()
      #expect(try await n1.host.exec(["nft", "delete", "table", "ip", "skep-sources"]).succeeded)
      #expect(try await n1.host.exec(["ip", "rule", "del", "pref", "9001"]).succeeded)
      try await n1.expectKept()
      try await n1.host.kill(.relay)
      try await n1.expectKept()
      try await n1.host.kill(.skepd)
      try await n1.expectKept()
      try await n1.host.start(.skepd)
      try await n1.expectKept()

      try await n1.docker("swarm", "leave", "--force")
      #expect(!(try await n1.host.exec(["nft", "list", "tables"]).text.contains("skep")))
      #expect(!(try await n1.host.exec(["ip", "rule"]).text.contains("9001")))
      #expect(try await n1.host.exec(["ip", "route", "show", "table", "9001"]).text.isEmpty)
    }
  }
}

extension Fixture {
  fileprivate func expectKept(at location: SourceLocation = #_sourceLocation) async throws {
    try await wait("the container sees the client", at: location) { try await get("/peer") == client.address }
  }

  fileprivate func expectKeptDatagrams(at location: SourceLocation = #_sourceLocation) async throws {
    try await wait("the container sees who sends datagrams", at: location) {
      try await datagram()?.hasSuffix(" \(client.address)") == true
    }
  }

  fileprivate func setPathFilter(_ interface: String, _ value: Int) async throws {
    let result = try await host.exec(["sysctl", "-w", "net.ipv4.conf.\(interface).rp_filter=\(value)"])
    try #require(result.succeeded, "\(result.stderr)")
  }

  /// The host by address and loopback, and a container of a network, by TCP and UDP.
  fileprivate func expectInsideServed(from network: String, at location: SourceLocation = #_sourceLocation) async throws {
    let bridge = "10.0.0.1"
    for address in [host.address, "127.0.0.1"] {
      let answer = try await host.exec(["curl", "--silent", "--max-time", "5", "http://\(address):8080/peer"]).text
      #expect(answer == bridge, "the host, at \(address)", sourceLocation: location)
      let datagram = try await host.exec(Self.datagramCommand(to: address)).text
      #expect(datagram.hasSuffix(" \(bridge)"), "the host, at \(address): \(datagram)", sourceLocation: location)
    }
    let container = try await docker("run", "--rm", "--network", network, "skep-web", "wget", "-q", "-O-", url("/peer"))
    #expect(container == bridge, "a container of \(network)", sourceLocation: location)
  }
}

extension SystemTests {
  @Test("UDP ports are published too: turns by client, the client's own address, a scale-in loses nobody")
  func datagrams() async throws {
    try await Fixture.with { n1 in
      try await n1.create("dns", replicas: 3, port: nil, "--publish", "published=8053,target=80,protocol=udp")
      try await n1.wait("the port is open") { try await n1.datagram() != nil }
      var names: Set<String> = []
      for _ in 1...9 {
        let answer = try #require(try await n1.datagram()).split(separator: " ")
        names.insert(String(answer[0]))
        #expect(answer.last.map(String.init) == n1.client.address)
      }
      #expect(names.count == 3)
      #expect(try await n1.docker("service", "ls", "--format", "{{.Ports}}") == "*:8053->80/udp")
      try await n1.docker("service", "scale", "--detach", "dns=1")
      for _ in 1...30 { #expect(try await n1.datagram() != nil) }
      try await n1.settled("dns", 1)
      try await n1.docker("service", "update", "--detach", "--publish-rm", "80/udp", "dns")
      try await n1.wait("the port is closed") { try await n1.datagram() == nil }
    }
  }
}

extension Fixture {
  /// What a new client's datagram is answered with.
  fileprivate func datagram() async throws -> String? {
    let result = try await client.exec(Self.datagramCommand(to: host.address))
    return result.text.isEmpty ? nil : result.text
  }

  fileprivate static func datagramCommand(to address: String) -> [String] {
    ["bash", "-c", "exec 3<>/dev/udp/\(address)/8053; echo x >&3; timeout 1 dd bs=1500 count=1 status=none <&3"]
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("An upgrade of skepd: containers, connections and the relay stay, and the new program goes on with the old one's state")
  func skepdUpgrade() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web")
      let (containers, relay) = (try await n1.running(), n1.host.pids(of: .relay))
      // The programs in another place stand for those of another release.
      let old = try #require(n1.playground.configuration.binaries)
      let new = "\(n1.playground.layout.directory)/release"
      try FileManager.default.createDirectory(atPath: new, withIntermediateDirectories: true)
      for program in ["skepd", "skep-relay"] {
        try FileManager.default.copyItem(atPath: "\(old)/\(program)", toPath: "\(new)/\(program)")
      }
      let report = try await n1.underLoad {
        try await n1.host.stop(.skepd)
        _ = try await n1.reconfigured { $0.binaries = new }
        try await n1.docker("service", "update", "--detach", "--label-add", "after=upgrade", "web")
        try await n1.settled("web", 3)
      }
      #expect(report.failures == [:])
      #expect(try await n1.running() == containers)
      #expect(n1.host.pids(of: .relay) == relay)
      let pid = try #require(n1.host.pid(of: .skepd))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe") == "\(new)/skepd")
      // The relay takes its new program when it is told to end.
      let handedOver = try await n1.underLoad {
        try await n1.host.kill(.relay, signal: 15)
        try await n1.wait("a new relay runs alone") { n1.host.pids(of: .relay).count == 1 && n1.host.pids(of: .relay) != relay }
      }
      #expect(handedOver.failures == [:])
    }
  }

  @Test("kill -9 of skepd at any moment of swarm init and leave: wholly in the swarm or wholly out, and nothing left behind")
  func initAndLeaveCutOff() async throws {
    try await Fixture.with(swarm: false) { n1 in
      var cuts = 0
      for round in 0..<8 {
        async let answer = n1.host.docker(["swarm", "init"])
        try await Task.sleep(for: .milliseconds(15 + 9 * round))
        try await n1.host.kill(.skepd)
        if try await !answer.succeeded { cuts += 1 }
        try await n1.host.start(.skepd, relay: false)
        if try await n1.swarmState() == "inactive" { try await n1.docker("swarm", "init") }
        #expect(try await n1.swarmState() == "active")
        try await n1.create("web", replicas: 2)
        async let left = n1.host.docker(["swarm", "leave", "--force"])
        try await Task.sleep(for: .milliseconds(15 + 90 * round))
        try await n1.host.kill(.skepd)
        _ = try await left
        try await n1.host.start(.skepd, relay: false)
        try await n1.wait("skepd knows where it is") { try await ["inactive", "active"].contains(n1.swarmState()) }
        if try await n1.swarmState() == "active" { try await n1.docker("swarm", "leave", "--force") }
        #expect(try await n1.containers().isEmpty)
        #expect(try await n1.engine("network", "ls", "--filter", "label=skep.cluster", "--quiet").isEmpty)
        #expect(try await n1.listeningPorts() == [])
      }
      #expect(cuts > 0, "some kills came before the answer")
    }
  }

  @Test("A leave while the engine is away says so, and finishes by itself when the engine is back")
  func leaveWithoutEngine() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      try await n1.host.kill(.engine)
      #expect(try await n1.refusal("swarm", "leave", "--force").contains("cannot reach the Docker Engine"))
      #expect(try await n1.refusal("service", "ls").contains("leaving the swarm is not finished"))
      try await n1.host.start(.engine)
      try await n1.wait("it is left") { try await n1.swarmState() == "inactive" }
      #expect(try await n1.containers().isEmpty)
      #expect(try await n1.listeningPorts() == [])
    }
  }

  @Test("A second skepd on the same state directory is refused, with what to do, and the first goes on")
  func secondSkepd() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 1)
      let skepd = "\(try #require(n1.playground.configuration.binaries))/skepd"
      let result = try await n1.host.exec([
        skepd, "--engine", "unix://\(n1.host.engineSocket)", "--listen", "unix:///run/other.sock", "--state-dir",
        n1.stateDirectory, "--run-dir", "/run/other",
      ])
      #expect(result.status == 1)
      #expect(result.stderr.contains("another skepd uses the state directory \(n1.stateDirectory)"), "\(result.stderr)")
      #expect(try await n1.get() != nil)
    }
  }
}

extension Fixture {
  func swarmState() async throws -> String { try await docker("info", "--format", "{{.Swarm.LocalNodeState}}") }
}

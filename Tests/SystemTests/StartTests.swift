// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("An engine in swarm mode is refused at start, with what to do")
  func engineInSwarmMode() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.host.kill(.skepd)
      // Swarm mode does not go with --live-restore, so the engine is started once more without it.
      try await n1.host.kill(.engine)
      let plain = try await Playground.up(
        nodes: 1, directory: n1.playground.layout.directory, configuration: .defaults.with { $0.engineArguments = [] })
      let host = try plain.host("n1")
      try await host.kill(.skepd)
      try await host.checkedDocker(["swarm", "init", "--advertise-addr", host.address], via: .engine)
      let skepd = "\(try #require(plain.configuration.binaries))/skepd"
      let result = try await host.exec([
        skepd, "--engine", "unix://\(host.engineSocket)", "--listen", "unix://\(host.apiSocket)", "--state-dir",
        "\(host.directory)/state", "--run-dir", "/run/skep",
      ])
      #expect(result.status == 78)
      #expect(result.stderr.contains("is itself in swarm mode (active)"))
      #expect(result.stderr.contains("docker -H unix://\(host.engineSocket) swarm leave --force"))
    }
  }

  @Test("A damaged state database: skepd says why, leaves the file as it is, and swarm leave --force is the way out")
  func damagedDatabase() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 1)
      try await n1.host.kill(.skepd)
      let before = try n1.damageDatabase()
      try await n1.host.start(.skepd)
      #expect(try await n1.docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "error")
      let reason = try await n1.docker("info", "--format", "{{.Swarm.Error}}")
      #expect(reason.contains("swarm leave --force"), "\(reason)")
      let refusal = try await n1.refusal("service", "ls")
      #expect(refusal.contains("swarm leave --force"), "\(refusal)")
      #expect(try await n1.running().count == 1, "what runs goes on")
      #expect(try n1.databaseFiles() == before)
      try await n1.docker("swarm", "leave", "--force")
      #expect(try await n1.docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive")
      try await n1.docker("swarm", "init")
      try await n1.create("web", replicas: 2)
      try await n1.answering(2)
    }
  }
}

extension Fixture {
  private var state: String { "\(host.directory)/state" }

  fileprivate func databaseFiles() throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: state).filter { $0.hasSuffix(".db") || $0.hasSuffix("-wal") }
    return Dictionary(uniqueKeysWithValues: names.map { ($0, FileManager.default.contents(atPath: "\(state)/\($0)") ?? Data()) })
  }

  /// Overwrites the middle of every file of the database.
  fileprivate func damageDatabase() throws -> [String: Data] {
    for (name, data) in try databaseFiles() where !data.isEmpty {
      var damaged = data
      for index in 0..<data.count where index % 64 < 16 { damaged[index] = 0xAA }
      try damaged.write(to: URL(fileURLWithPath: "\(state)/\(name)"))
    }
    let files = try databaseFiles()
    try #require(!files.isEmpty)
    return files
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test(
    "A wall clock that is moved by an hour under a running skepd: crashes are healed, updates end, nothing is restarted",
    arguments: [1, -1])
  func clockMoved(by hours: Int64) async throws {
    try await Fixture.with(swarm: false) { n1 in
      try n1.moveClock(by: 0)
      try await n1.host.stop(.skepd)
      let library = try await n1.clockLibrary()
      let moved = try await n1.reconfigured { $0.skepdEnvironment = ["LD_PRELOAD": library, "SKEP_TEST_CLOCK": n1.clockFile] }
      try await moved.docker("swarm", "init")
      try await moved.create("web", replicas: 2)
      try await moved.createAndCrash("slow")
      try n1.moveClock(by: hours)
      let before = try await moved.running("web")
      try await moved.wait("skepd's clock has moved") { try await moved.clockIsOff() }
      try await moved.settled("slow", 1)
      let victim = try #require(before.first)
      try await moved.host.crash(container: victim)
      try await moved.wait("the crashed task is replaced") { try await !moved.running("web").contains(victim) }
      try await moved.settled("web", 2)
      #expect(try await moved.running("web").intersection(before).count == 1, "the other was left alone")
      try await moved.docker("service", "update", "--detach", "--update-monitor", "200ms", "--env-add", "A=1", "web")
      try await moved.wait("the update ends") {
        try await moved.docker("service", "inspect", "web", "--format", "{{.UpdateStatus.State}}") == "completed"
      }
      try await moved.settled("web", 2)
      try await moved.host.kill(.skepd)
      let kept = try await moved.running()
      try await moved.host.start(.skepd)
      try await moved.settled("web", 2)
      #expect(try await moved.running() == kept)
      try await moved.answering(2)
    }
  }
}

extension Fixture {
  fileprivate var clockFile: String { "\(playground.layout.directory)/clock" }

  /// Written in place: it is mapped.
  fileprivate func moveClock(by hours: Int64) throws {
    let bytes = withUnsafeBytes(of: (hours * 3_600_000_000_000).littleEndian) { Data($0) }
    if !FileManager.default.fileExists(atPath: clockFile) { try bytes.write(to: URL(fileURLWithPath: clockFile)) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: clockFile))
    try file.write(contentsOf: bytes)
    try file.close()
  }

  fileprivate func clockLibrary() async throws -> String {
    let source = (#filePath as NSString).deletingLastPathComponent + "/clock.c"
    let library = "\(playground.layout.directory)/clock.so"
    try await Command("gcc", ["-O2", "-shared", "-fPIC", "-o", library, source]).check()
    return library
  }

  /// A task that waits for the end of its restart delay when the clock moves.
  fileprivate func createAndCrash(_ name: String) async throws {
    try await docker("service", "create", "--quiet", "--detach", "--name", name, "--restart-delay", "3s", "skep-web")
    try await settled(name, 1)
    try await host.crash(container: try #require(try await running(name).first))
  }

  /// By the time that skepd gives a service it writes now.
  fileprivate func clockIsOff() async throws -> Bool {
    try await docker("service", "update", "--quiet", "--detach", "--label-add", "look=\(UInt32.random(in: 0...(.max)))", "slow")
    let text = try await docker("service", "inspect", "slow", "--format", "{{.UpdatedAt.Unix}}")
    return abs((Double(text) ?? 0) - Date().timeIntervalSince1970) > 1_800
  }
}

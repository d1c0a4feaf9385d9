// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import PlaygroundKit

/// The real thing, with engines only: needs root and dockerd.
@Suite(.serialized) struct PlaygroundTests {
  static let engineOnly = Configuration(daemons: .engineOnly)

  static func ping(_ address: String) -> [String] { ["busybox", "ping", "-c", "1", "-W", "1", address] }

  /// A playground of the test's own; whatever the test does, nothing may be left of it.
  func withPlayground(
    nodes: Int = 1, _ configuration: Configuration = engineOnly, _ body: (Playground) async throws -> Void
  ) async throws {
    let playground = try await Playground.up(nodes: nodes, directory: Playground.scratchDirectory(), configuration: configuration)
    do { try await body(playground) } catch {
      try await playground.down()
      throw error
    }
    try await playground.down()
    try await expectNothingLeft(playground.layout)
  }

  func expectNothingLeft(_ layout: Layout) async throws {
    #expect(Traces.namespaces(layout).isEmpty)
    #expect(try await Command("ip", ["netns", "list"]).run().stdout.contains(layout.prefix) == false)
    #expect(Traces.controlGroups(layout).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: layout.directory))
    #expect(try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).contains(layout.directory) == false)
    // The compiler of a cancelled `up` ends by itself, a moment later.
    let processes: Bool? = try await eventually(.seconds(5)) {
      try await Command("ps", ["ax", "-ww", "-o", "args"]).run().stdout.contains("\(layout.directory)/") ? nil : true
    }
    #expect(processes == true)
  }

  @Test(
    "A host's engine serves, is killed and comes back while its container lives on; a power cut ends all", .timeLimit(.minutes(3))
  )
  func oneHost() async throws {
    try await withPlayground { playground in
      let host = try playground.host("n1")
      #expect(try await host.docker(["version", "--format", "{{.Server.Os}}"]).text == "linux")
      #expect(try await host.docker(["info", "--format", "{{.Name}} {{.CgroupDriver}}"]).text == "n1 cgroupfs")
      let id = try await host.checkedDocker(["run", "-d", "--name", "web", "-p", "8080:80", WebImage.name]).text
      let answer = ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "0", "http://10.77.0.1:8080/"]
      #expect(try await playground.client.exec(answer).text == id.prefix(12))
      #expect(try await playground.client.exec(["curl", "-sS", "http://10.77.0.1:8080/peer"]).text == "10.77.0.254")

      #expect(try await host.docker(["exec", "-i", "web", "cat"], input: "through\n").stdout == "through\n")
      let container = try await host.docker(["inspect", "--format", "{{.State.Pid}}", "web"]).text
      #expect(try await host.exec(["readlink", "/proc/\(container)/exe"]).text == "/bin/web")

      let first = try #require(host.pid(of: .engine))
      try await host.kill(.engine)
      #expect(host.pid(of: .engine) == nil)
      #expect(try await host.docker(["version"]).succeeded == false)
      #expect(playground.status().allAlive == false)
      #expect(try await host.exec(["kill", "-0", container]).succeeded)
      try await host.start(.engine)
      #expect(try #require(host.pid(of: .engine)) != first)
      #expect(playground.status().allAlive)
      #expect(try await host.docker(["ps", "--format", "{{.Names}}"]).text == "web")

      #expect(try await playground.client.exec(Self.ping("10.77.0.1")).succeeded)
      try await host.kill(.all)
      #expect(host.pid(of: .all) == nil)
      #expect(try await playground.client.exec(Self.ping("10.77.0.1")).succeeded == false)
      await #expect(throws: PlaygroundError.self) { try await host.exec(["true"]) }
      try await host.start()
      #expect(try await host.docker(["ps", "--all", "--format", "{{.Names}} {{.State}}"]).text == "web exited")
    }
  }

  @Test("Hosts see each other and nothing of the machine; up again repairs and grows", .timeLimit(.minutes(3)))
  func severalHosts() async throws {
    try await withPlayground(nodes: 2, Self.engineOnly.with { $0.webImage = nil }) { playground in
      let (n1, n2) = (try playground.host("n1"), try playground.host("n2"))
      #expect(try await n1.exec(Self.ping(n2.address)).succeeded)
      #expect(try await n1.exec(["ls", "/run"]).lines.contains("netns") == false)
      #expect(try await n1.exec(["ip", "route", "show", "default"]).text == "")
      let kept = try #require(n1.pid(of: .engine))
      try await n2.cut()
      #expect(try await n1.exec(Self.ping(n2.address)).succeeded == false)
      #expect(try await n2.docker(["version"]).succeeded, "a host that is cut off runs on")
      try await n2.heal()
      #expect(try await eventually { try await n1.exec(Self.ping(n2.address)).succeeded })
      try await n2.pause()
      #expect(try await n1.exec(Self.ping(n2.address)).succeeded, "a paused host's kernel goes on")
      let version = Command("curl", ["-s", "--max-time", "0.5", "--unix-socket", n2.engineSocket, "http://engine/version"])
      #expect(try await version.run().succeeded == false)
      try n2.resume()
      #expect(try await eventually { try await version.run().succeeded })
      try await n2.kill(.all)
      let again = try await Playground.up(
        nodes: 3, directory: playground.layout.directory, configuration: Self.engineOnly.with { $0.webImage = nil })
      #expect(again.hosts.map(\.name) == ["n1", "n2", "n3"])
      #expect(again.status().allAlive)
      #expect(try again.host("n1").pid(of: .engine) == kept)
      #expect(try Playground.open(directory: playground.layout.directory).hosts.count == 3)
    }
  }

  @Test(
    "What an interrupted up left is removed, whichever step it had come to", .timeLimit(.minutes(3)),
    arguments: [10, 60, 150, 300, 600, 1000])
  func interrupted(milliseconds: Int) async throws {
    let layout = try Layout(directory: Playground.scratchDirectory())
    let up = Task {
      _ = try await Playground.up(directory: layout.directory, configuration: Self.engineOnly)
    }
    // Not to wait for something: to stop at an arbitrary point.
    try await Task.sleep(for: .milliseconds(milliseconds))
    up.cancel()
    _ = await up.result
    try await Playground.down(directory: layout.directory)
    try await expectNothingLeft(layout)
  }

  @Test("down finds everything even when the directory is gone", .timeLimit(.minutes(1)))
  func lostDirectory() async throws {
    let playground = try await Playground.up(
      directory: Playground.scratchDirectory(), configuration: Self.engineOnly.with { $0.webImage = nil })
    try FileManager.default.removeItem(atPath: playground.layout.stateFile)
    try FileManager.default.removeItem(atPath: playground.layout.lockFile)
    #expect(try await Playground.down(directory: playground.layout.directory))
    try FileManager.default.removeItem(atPath: playground.layout.directory)
    try await expectNothingLeft(playground.layout)
  }

  @Test("Cancelling a task kills what it ran on a host and on the client", .timeLimit(.minutes(1)))
  func cancelled() async throws {
    try await withPlayground(Self.engineOnly.with { $0.webImage = nil }) { playground in
      let host = try playground.host("n1")
      let work = Task {
        async let onHost = host.exec(["sleep", "4711"])
        async let onClient = playground.client.exec(["sleep", "4712"])
        _ = try await (onHost, onClient)
      }
      func running() async throws -> Int {
        try await Command("ps", ["ax", "-o", "args"]).run().lines.filter { $0 == "sleep 4711" || $0 == "sleep 4712" }.count
      }
      #expect(try await eventually(.seconds(10)) { try await running() == 2 })
      work.cancel()
      #expect(try await eventually(.seconds(10)) { try await running() == 0 })
      _ = await work.result
    }
  }
}

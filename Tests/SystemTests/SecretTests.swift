// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("Secrets and configs: only the host with the task has them, in memory, before it starts and until it ends")
  func secrets() async throws {
    let directory = Playground.scratchDirectory()
    do {
      let playground = try await Playground.up(nodes: 2, directory: directory, configuration: Configuration(logLevel: "debug"))
      let fixture = Fixture(playground: playground, host: try playground.host("n1"))
      let hosts = SecretHosts(n1: fixture, n2: try playground.host("n2"))
      do { try await hosts.check() } catch { Issue.record("\(error)\n\(fixture.log.suffix(3_000))") }
    } catch {
      Issue.record("\(error)")
    }
    try await Playground.down(directory: directory)
  }
}

private struct SecretHosts {
  static let secret = "open-sesame-4711"
  static let config = "colour: octarine"

  let n1: Fixture
  let n2: PlaygroundKit.Host

  func check() async throws {
    try await begin()
    try await placed()
    try await restarts()
    try await hidden()
    try await reboot()
    try await stack()
    try await leaving()
  }

  private func begin() async throws {
    try await n1.docker("swarm", "init")
    let token = try await n1.docker("swarm", "join-token", "--quiet", "worker")
    #expect(try await n2.docker(["swarm", "join", "--token", token, n1.host.address]).succeeded)
    try await make("secret", "key", Self.secret)
    try await make("config", "colours", Self.config)
    try await make("config", "form", #"{{.Task.Name}} {{secret "key"}} {{env "A"}}"#, "--template-driver", "golang")
  }

  private func make(_ kind: String, _ name: String, _ data: String, _ options: String...) async throws {
    let result = try await n1.host.docker([kind, "create"] + options + [name, "-"], input: data)
    #expect(result.succeeded, "\(result.stderr)")
  }

  /// A program that has to have them when it starts: it ends otherwise, and goes on with what it read.
  private func placed() async throws {
    let script = "cat /run/secrets/key /etc/colours /etc/form > /tmp/read && exec sleep 1000000"
    try await n1.docker(
      "service", "create", "--quiet", "--detach", "--name", "web", "--constraint", "node.hostname==n2", "--restart-condition",
      "none",
      "--env", "A=1", "--secret", "key", "--secret", "source=key,target=/etc/deep/key,uid=1000,gid=33,mode=0400",
      "--config", "source=colours,target=/etc/colours", "--config", "source=form,target=etc/form", "skep-web", "sh", "-c", script)
    try await runs()
    let task = try await n1.docker("service", "ps", "--no-trunc", "--quiet", "web")
    #expect(try await inside("cat /tmp/read") == "\(Self.secret)\(Self.config)web.1.\(task) \(Self.secret) 1")
    #expect(try await inside("stat -c '%a %u %g' /etc/deep/key /run/secrets/key") == "400 1000 33\n444 0 0")
    let refused = try await n2.docker(["exec", try await container(), "sh", "-c", "echo x > /run/secrets/key"])
    #expect(refused.stderr.contains("Read-only file system"))
    #expect(try await files(n2) == ["0", "1", "2", "3"])
    #expect(try await files(n1.host) == [])
    let inUse = try await n1.refusal("secret", "rm", "key")
    #expect(inUse.contains("rpc error: code = InvalidArgument desc = secret 'key' is in use by the following service: web"))
  }

  /// skepd comes and goes, also by force: the container keeps its files, and what nobody has a use for goes.
  private func restarts() async throws {
    let before = try await container()
    try await n2.kill(.skepd)
    try await shell(n2, "mkdir -p /run/skep/tasks/gone && echo left > /run/skep/tasks/gone/0")
    try await n2.start(.skepd)
    try await n1.wait("what was left is gone") { try await shell(n2, "ls /run/skep/tasks").count == 1 }
    #expect(try await container() == before)
    #expect(try await inside("cat /run/secrets/key") == Self.secret)
  }

  /// Neither host's disk or log, nor what either engine tells, has the secret, as it is or in base64.
  private func hidden() async throws {
    let secrets = [Self.secret, "b3Blbi1zZXNhbWUtNDcxM", "9wZW4tc2VzYW1lLTQ3MT", "vcGVuLXNlc2FtZS00NzEx"]
    let container = try await container()
    for told in [
      try await n2.checkedDocker(["inspect", container]).stdout, try await n1.docker("secret", "inspect", "key"),
      try await n1.docker("service", "inspect", "web"), try await n1.docker("events", "--since", "0", "--until", "0s"),
    ] { #expect(!secrets.contains { told.contains($0) }) }
    for host in [n1.host, n2] {
      let paths = ["state", "skepd.log", "engine.log"].map { "\(host.directory)/\($0)" }
      let options = ["--recursive", "--text", "--files-with-matches", "--fixed-strings"] + secrets.flatMap { ["-e", $0] }
      #expect(try await Command("grep", options + paths).run().lines == [])
    }
    let config = try await Command(
      "grep", ["--recursive", "--text", "--files-with-matches", Self.config, "\(n1.host.directory)/state"]
    ).run()
    #expect(config.lines == [], "configs are sealed too")
  }

  /// Memory is gone, and with it the files; the next task has its own.
  private func reboot() async throws {
    try await n1.docker("service", "update", "--quiet", "--detach", "--restart-condition", "any", "--restart-delay", "0s", "web")
    try await runs()
    try await n2.kill(.all)
    try await n2.start()
    try await n1.wait("it runs again, with its files", .seconds(30)) {
      guard let now = try await n2.docker(["ps", "--quiet"]).lines.first else { return false }
      return try await n2.docker(["exec", now, "cat", "/run/secrets/key"]).text == Self.secret
    }
    #expect(try await files(n2) == ["0", "1", "2", "3"])
    try await n1.docker("service", "rm", "web")
    try await n1.wait("nothing is left") { try await shell(n2, "ls -A /run/skep/tasks").isEmpty }
    try await n1.docker("secret", "rm", "key")
    try await n1.docker("config", "rm", "colours", "form")
  }

  private func stack() async throws {
    let folder = "\(n1.playground.layout.directory)/stack"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func deploy(_ secret: String) async throws -> CommandResult {
      try secret.write(toFile: "\(folder)/key", atomically: true, encoding: .utf8)
      return try await n1.host.docker(["stack", "deploy", "--compose-file", "\(folder)/stack.yml", "app"])
    }
    try Self.stack.write(toFile: "\(folder)/stack.yml", atomically: true, encoding: .utf8)
    try #"{{.Service.Name}}"#.write(toFile: "\(folder)/form", atomically: true, encoding: .utf8)
    try await make("secret", "shared", "theirs")
    for _ in 1...2 {
      let result = try await deploy(Self.secret)
      #expect(result.succeeded, "\(result.stderr)")
    }
    try await n1.wait("the stack runs") {
      try await n1.docker("stack", "services", "--format", "{{.Replicas}}", "app") == "1/1"
    }
    #expect(
      try await n1.docker("secret", "ls", "--format", "{{.Name}}").split(separator: "\n").sorted() == ["app_key", "shared"])
    #expect(try await n1.docker("config", "ls", "--format", "{{.Name}}") == "named")
    let host = try await n1.docker("service", "ps", "--format", "{{.Node}}", "app_web") == "n1" ? n1.host : n2
    let container = try #require(try await host.docker(["ps", "--quiet"]).lines.first)
    let read = try await host.checkedDocker(["exec", container, "cat", "/run/secrets/key", "/run/secrets/shared", "/etc/form"])
      .stdout
    #expect(read == "\(Self.secret)theirsapp_web")
    #expect(try await deploy("other").stderr.contains("only updates to Labels are allowed"))
    // The network may still be in use: nothing waits, as in swarm mode.
    _ = try await n1.host.docker(["stack", "rm", "app"])
    try await n1.docker("secret", "rm", "shared")
  }

  private static let stack = """
    version: "3.8"
    services:
      web:
        image: skep-web
        secrets: [key, shared]
        configs:
          - source: form
            target: /etc/form
    secrets:
      key: {file: ./key}
      shared: {external: true}
    configs:
      form: {name: named, file: ./form, template_driver: golang}
    """

  private func leaving() async throws {
    try await make("secret", "key", Self.secret)
    try await n1.docker(
      "service", "create", "--quiet", "--detach", "--name", "web", "--mode", "global", "--secret", "key", "skep-web")
    try await n1.wait("both hosts have it") { try await [files(n1.host), files(n2)] == [["0"], ["0"]] }
    #expect(try await n2.docker(["swarm", "leave"]).succeeded)
    #expect(try await shell(n2, "ls -A /run/skep").contains("tasks") == false)
  }

  private func runs() async throws {
    try await n1.wait("it runs on n2") {
      let state = try await n1.docker(
        "service", "ps", "web", "--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}")
      return state.hasPrefix("n2 Running")
    }
  }

  private func container() async throws -> String { try #require(try await n2.docker(["ps", "--quiet"]).lines.first) }

  private func inside(_ script: String) async throws -> String {
    try await n2.checkedDocker(["exec", try await container(), "sh", "-c", script]).text
  }

  @discardableResult
  private func shell(_ host: PlaygroundKit.Host, _ script: String) async throws -> [String] {
    try await host.exec(["sh", "-c", script]).lines
  }

  /// Of all its tasks.
  private func files(_ host: PlaygroundKit.Host) async throws -> [String] {
    try await shell(host, "cd /run/skep/tasks 2>/dev/null && find . -type f | sed 's,.*/,,' | sort")
  }
}

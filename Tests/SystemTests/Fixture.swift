// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

/// System tests share two cores: one playground at a time.
@Suite("The real thing", .serialized)
struct SystemTests {}

/// One host with an engine, skepd and the relay, an outside client, and the words that tests use of them.
struct Fixture: Sendable {
  let playground: Playground
  let host: PlaygroundKit.Host
  var client: Client { playground.client }

  /// Brings a playground up, with a swarm unless told otherwise, and takes it down whatever happens.
  static func with(
    swarm: Bool = true, _ configuration: Configuration = .defaults, _ body: @Sendable (Fixture) async throws -> Void
  ) async throws {
    let directory = Playground.scratchDirectory()
    do {
      let playground = try await Playground.up(nodes: 1, directory: directory, configuration: configuration)
      let fixture = Fixture(playground: playground, host: try playground.host("n1"))
      if swarm { try await fixture.docker("swarm", "init") }
      do { try await body(fixture) } catch {
        Issue.record("\(error)\n\(await fixture.circumstances())")
      }
    } catch {
      Issue.record("\(error)")
    }
    try await Playground.down(directory: directory)
  }

  /// What one wants to see when a test failed.
  private func circumstances() async -> String {
    let log =
      FileManager.default.contents(atPath: "\(host.directory)/skepd.log").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let relay = (try? await host.exec(["cat", "/run/skep/relay.log"]))?.text ?? ""
    let containers = try? await host.docker(["ps", "--all"], via: .engine).text
    return "\(log.suffix(6_000))\n\(relay.suffix(2_000))\n\(containers ?? "")"
  }

  /// The docker CLI through skepd; a failure is an error that says what docker said. Returns its output, trimmed.
  @discardableResult
  func docker(_ arguments: String...) async throws -> String { try await host.checkedDocker(arguments).text }

  /// The docker CLI against the engine itself.
  @discardableResult
  func engine(_ arguments: String...) async throws -> String { try await host.checkedDocker(arguments, via: .engine).text }

  /// What a failing docker command says; it must fail.
  func refusal(_ arguments: String...) async throws -> String {
    let result = try await host.docker(arguments)
    #expect(!result.succeeded, "docker \(arguments.joined(separator: " ")) succeeded: \(result.text)")
    return result.stderr
  }

  /// A service of the web image, waited for until all its tasks run. Restarts and drains are quick.
  func create(_ name: String, replicas: Int = 3, port: Int? = 8080, _ more: String..., image: String = "skep-web") async throws {
    try await host.checkedDocker(
      ["service", "create", "--quiet", "--detach", "--name", name, "--replicas", "\(replicas)", "--restart-delay", "100ms"]
        + ["--label", "skep.drain.timeout=2s", "--stop-grace-period", "3s"]
        + (port.map { ["--publish", "\($0):80"] } ?? []) + more + [image])
    try await settled(name, replicas)
    if let port { try await wait("\(name) answers") { try await get(port: port) != nil } }
  }

  func url(_ path: String = "/", port: Int = 8080) -> String { "http://\(host.address):\(port)\(path)" }

  /// One GET from the client outside: the body's first line, or nil if it failed.
  func get(_ path: String = "/", port: Int = 8080) async throws -> String? {
    let result = try await client.exec(["curl", "--silent", "--fail", "--max-time", "10", url(path, port: port)])
    return result.succeeded ? result.text : nil
  }

  /// Waits for a condition, and fails the test if it never comes.
  func wait(
    _ what: Comment, _ limit: Duration = .seconds(30), at location: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
  ) async throws {
    let held = try await eventually(limit, every: .milliseconds(50), holds)
    try #require(held, what, sourceLocation: location)
  }
}

// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

/// A manager and two workers.
struct Cluster: Sendable {
  let fixture: Fixture
  let n2: PlaygroundKit.Host
  let n3: PlaygroundKit.Host

  var hosts: [PlaygroundKit.Host] { [fixture.host, n2, n3] }

  static func with(_ body: @Sendable (Cluster) async throws -> Void) async throws {
    let directory = Playground.scratchDirectory()
    do {
      let playground = try await Playground.up(nodes: 3, directory: directory)
      let fixture = Fixture(playground: playground, host: try playground.host("n1"))
      let cluster = Cluster(fixture: fixture, n2: try playground.host("n2"), n3: try playground.host("n3"))
      do { try await body(cluster) } catch { Issue.record("\(error)\n\(cluster.logs)") }
    } catch {
      Issue.record("\(error)")
    }
    try await Playground.down(directory: directory)
  }

  private var logs: String {
    [fixture.host, n2, n3].map { host in
      let data = FileManager.default.contents(atPath: "\(host.directory)/skepd.log") ?? Data()
      return "\(host.name):\n\(String(decoding: data, as: UTF8.self).suffix(3_000))"
    }.joined(separator: "\n")
  }

  func join(_ host: PlaygroundKit.Host, _ token: String) async throws -> CommandResult {
    try await host.docker(["swarm", "join", "--token", token, fixture.host.address])
  }

  func states() async throws -> String {
    try await fixture.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").split(separator: "\n").sorted()
      .joined(separator: ", ")
  }

  /// The tasks that are meant to run, with their nodes.
  func tasks() async throws -> [String] {
    try await fixture.docker(
      "service", "ps", "web", "--filter", "desired-state=running", "--format", "{{.ID}} {{.Node}} {{.CurrentState}}"
    ).split(separator: "\n").map(String.init)
  }

  func ids() async throws -> [Substring] { try await tasks().map { $0.prefix { $0 != " " } }.sorted() }

  /// As many tasks run as are meant to, none of them on `host`.
  func runWithout(_ host: String, count: Int = 9) async throws -> Bool {
    let found = try await tasks()
    return found.count == count && found.allSatisfy { $0.contains(" Running ") && !$0.contains(" \(host) ") }
  }
}

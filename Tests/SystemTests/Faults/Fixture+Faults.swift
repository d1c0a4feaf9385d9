// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension Fixture {
  /// Returns when every thread of the relay stands still: the signal is one thread's, and until that one runs the others go on.
  func stopRelay() async throws {
    try await host.kill(.relay, signal: 19)
    try await wait("the relay stands still") { host.pids(of: .relay).allSatisfy(Self.isStopped) }
  }

  private static func isStopped(_ process: Int32) -> Bool {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return threads.allSatisfy { thread in
      let status = FileManager.default.contents(atPath: "/proc/\(process)/task/\(thread)/stat") ?? Data()
      return String(decoding: status, as: UTF8.self).contains(") T ")
    }
  }

  /// What skepd has logged so far.
  var log: String {
    FileManager.default.contents(atPath: "\(host.directory)/skepd.log").map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  var stateDirectory: String { "\(host.directory)/state" }

  /// The same host with another configuration, which what is started from now on gets.
  func reconfigured(_ change: (inout Configuration) -> Void) async throws -> Fixture {
    let playground = try await Playground.up(
      nodes: 1, directory: playground.layout.directory, configuration: playground.configuration.with(change))
    return Fixture(playground: playground, host: try playground.host("n1"))
  }

  /// Sends requests while something is done, and until it is over. Returns what became of them.
  func underLoad(parallel: Int = 4, _ body: () async throws -> Void) async throws -> RequestReport {
    let isOver = Flag()
    async let load = load(parallel: parallel, until: isOver)
    do { try await body() } catch {
      isOver.raise()
      throw error
    }
    isOver.raise()
    return try await load
  }

  func load(parallel: Int = 4, until isOver: Flag) async throws -> RequestReport {
    var total = RequestReport()
    repeat {
      total.add(try await client.requests(url("/slow?ms=5"), count: 500, parallel: parallel))
    } while !isOver.isRaised
    return total
  }

  /// Every task that was there before has ended and has exactly one successor in its slot.
  func expectReplacedOnce(_ before: [APITask], at location: SourceLocation = #_sourceLocation) async throws {
    let tasks = try await tasks(before.first?.serviceID)
    for old in before {
      let now = try #require(tasks.first { $0.id == old.id }, sourceLocation: location)
      #expect(["complete", "failed"].contains(now.status.state), "\(now)", sourceLocation: location)
      #expect(now.desiredState == "shutdown", "\(now)", sourceLocation: location)
      let successors = tasks.filter { $0.slot == old.slot && $0.id != old.id }
      #expect(successors.count == 1 && successors.allSatisfy(\.isRunning), "\(successors)", sourceLocation: location)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Synchronization

/// Clients that never rest: some with a connection for each request, some that keep theirs for a hundred, some that read long answers.
final class HammerLoad: Sendable {
  private struct Kind {
    let path: String
    /// In a go; between two goes it is looked whether all is over.
    let count: Int
    let parallel: Int
    let keepAlive: Bool
  }

  private static let kinds = [
    Kind(path: "/", count: 2_000, parallel: 4, keepAlive: false),
    Kind(path: "/slow?ms=2", count: 1_600, parallel: 8, keepAlive: true),
    Kind(path: "/drip?ms=1500", count: 4, parallel: 4, keepAlive: false),
  ]

  private let fixture: Fixture
  private let isOver = Flag()
  private let all = Mutex([RequestReport](repeating: RequestReport(), count: kinds.count))

  init(_ fixture: Fixture) { self.fixture = fixture }

  /// By kind.
  var reports: [RequestReport] { all.withLock { $0 } }
  var made: Int { reports.reduce(0) { $0 + $1.succeeded + $1.failed } }
  var failures: [String: Int] { reports.reduce(into: [:]) { $0.merge($1.failures, uniquingKeysWith: +) } }

  /// Goes on while `body` runs, and ends in peace after it. Once.
  func during(_ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in Self.kinds.indices { group.addTask { try await self.run(index) } }
      try await body()
      isOver.raise()
      try await group.waitForAll()
    }
  }

  private func run(_ index: Int) async throws {
    let kind = Self.kinds[index]
    while !isOver.isRaised {
      let report = try await fixture.client.requests(
        fixture.url(kind.path), count: kind.count, parallel: kind.parallel, keepAlive: kind.keepAlive)
      all.withLock { $0[index].add(report) }
    }
  }
}

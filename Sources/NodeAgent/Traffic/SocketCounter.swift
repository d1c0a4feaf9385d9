// SPDX-License-Identifier: Apache-2.0

import Logging

/// Counts the connections of draining tasks in their own network namespaces: also those that this node's relay does not know, as they
/// came by an earlier relay or past it.
actor SocketCounter {
  /// The first process of a task's container; `nil` when the task does not run here.
  typealias Locate = @Sendable (_ task: String) async throws -> Int?

  /// An engine that does not answer must not hold a drain up.
  static let patience = Duration.seconds(1)

  private let sockets: any TaskSockets
  private let clock: AgentClock
  private let logger: Logger
  /// Of the tasks counted last.
  private var networks: [String: any TaskNetwork] = [:]
  private var unreadable: Set<String> = []
  private var hasComplained = false

  init(sockets: any TaskSockets, clock: AgentClock, logger: Logger) {
    self.sockets = sockets
    self.clock = clock
    self.logger = logger
  }

  /// Open connections of each task to its ports. One that is missing has none, or only the relay can tell.
  func count(_ tasks: [String: Set<UInt16>], _ locate: @escaping Locate) async -> [String: Int] {
    networks = networks.filter { tasks[$0.key] != nil }
    unreadable.formIntersection(tasks.keys)
    await open(tasks.filter { !$0.value.isEmpty && networks[$0.key] == nil && !unreadable.contains($0.key) }.keys, locate)
    var counts: [String: Int] = [:]
    for (task, ports) in tasks {
      guard let network = networks[task] else { continue }
      do { counts[task] = try await network.openConnections(toPorts: ports) } catch {
        networks[task] = nil
        complain(error)
      }
    }
    return counts
  }

  private func open(_ tasks: some Sequence<String>, _ locate: @escaping Locate) async {
    await withTaskGroup(of: (String, Result<(any TaskNetwork)?, any Error>).self) { group in
      for task in tasks {
        group.addTask { [sockets, clock] in (task, await Self.network(of: task, sockets, clock, locate)) }
      }
      for await (task, result) in group { take(result, of: task) }
    }
  }

  private func take(_ result: Result<(any TaskNetwork)?, any Error>, of task: String) {
    switch result {
    case .success(let network): networks[task] = network
    case .failure(let error):
      unreadable.insert(task)
      complain(error)
    }
  }

  /// `nil` when it is to be tried again.
  private static func network(
    of task: String, _ sockets: any TaskSockets, _ clock: AgentClock, _ locate: @escaping Locate
  ) async -> Result<(any TaskNetwork)?, any Error> {
    guard let process = await answer(clock, { try await locate(task) }) else { return .success(nil) }
    do {
      guard let network = try await sockets.network(ofProcess: process) else { return .success(nil) }
      // The number may have passed to another process before the namespace was opened: not while the container still has it.
      let isStill = await answer(clock) { try await locate(task) } == process
      return .success(isStill ? network : nil)
    } catch {
      return .failure(error)
    }
  }

  private static func answer(_ clock: AgentClock, _ ask: @escaping @Sendable () async throws -> Int?) async -> Int? {
    await withTaskGroup(of: Int?.self) { group in
      group.addTask { try? await ask() }
      group.addTask {
        try? await clock.sleep(patience)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  private func complain(_ error: any Error) {
    guard !hasComplained else { return }
    hasComplained = true
    logger.warning("of some draining tasks only the relay's connections are counted", metadata: ["error": "\(error)"])
  }
}

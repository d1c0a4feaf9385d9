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
  /// Of the tasks of the last count, those that the engine did not tell of.
  private var unlocated: Set<String> = []
  private var hasComplained = false

  init(sockets: any TaskSockets, clock: AgentClock, logger: Logger) {
    self.sockets = sockets
    self.clock = clock
    self.logger = logger
  }

  struct Counts: Sendable, Hashable {
    /// Open connections of each task to its ports. One that is missing has none, or only the relay can tell.
    var open: [String: Int] = [:]
    /// Tasks that may run here: the engine did not say in time.
    var unknown: Set<String> = []
  }

  func count(_ tasks: [String: CountedPorts], _ locate: @escaping Locate) async -> Counts {
    networks = networks.filter { tasks[$0.key] != nil }
    unreadable.formIntersection(tasks.keys)
    unlocated = []
    await open(tasks.filter { $0.value != .these([]) && networks[$0.key] == nil && !unreadable.contains($0.key) }.keys, locate)
    var counts = Counts(unknown: unlocated)
    for (task, ports) in tasks {
      guard let network = networks[task] else { continue }
      do { counts.open[task] = try await network.openConnections(to: ports) } catch {
        networks[task] = nil
        complain(error)
      }
    }
    return counts
  }

  /// Has a task's network refuse new connections; `nil` when the task does not run here, or nobody can tell.
  func shut(_ task: String, _ locate: @escaping Locate) async -> (any TaskNetwork)? {
    if networks[task] == nil { await open([task], locate) }
    guard let network = networks[task] else { return nil }
    do { try await network.refuseConnections() } catch {
      logger.debug("a stopping task takes connections until it ends", metadata: ["task": "\(task)", "error": "\(error)"])
    }
    return network
  }

  private func open(_ tasks: some Sequence<String>, _ locate: @escaping Locate) async {
    await withTaskGroup(of: (String, Result<Finding, any Error>).self) { group in
      for task in tasks {
        group.addTask { [sockets, clock] in (task, await Self.network(of: task, sockets, clock, locate)) }
      }
      for await (task, result) in group { take(result, of: task) }
    }
  }

  private enum Finding {
    case network(any TaskNetwork)
    case notHere, unknown
  }

  private func take(_ result: Result<Finding, any Error>, of task: String) {
    switch result {
    case .success(.network(let network)): networks[task] = network
    case .success(.notHere): break
    case .success(.unknown): unlocated.insert(task)
    case .failure(let error):
      unreadable.insert(task)
      complain(error)
    }
  }

  /// Without a network it is to be tried again.
  private static func network(
    of task: String, _ sockets: any TaskSockets, _ clock: AgentClock, _ locate: @escaping Locate
  ) async -> Result<Finding, any Error> {
    guard let located = await answer(clock, { try await locate(task) }) else { return .success(.unknown) }
    guard let process = located else { return .success(.notHere) }
    do {
      guard let network = try await sockets.network(ofProcess: process) else { return .success(.notHere) }
      // The number may have passed to another process before the namespace was opened: not while the container still has it.
      guard let again = await answer(clock, { try await locate(task) }) else { return .success(.unknown) }
      return .success(again == process ? .network(network) : .notHere)
    } catch {
      return .failure(error)
    }
  }

  /// `nil` without an answer.
  private static func answer(_ clock: AgentClock, _ ask: @escaping @Sendable () async throws -> Int?) async -> Int?? {
    await withTaskGroup(of: Int??.self) { group in
      group.addTask {
        do { return .some(try await ask()) } catch { return nil }
      }
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

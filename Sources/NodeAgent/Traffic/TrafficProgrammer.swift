// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterRPC
import Logging

/// Keeps the data plane at the newest table and the managers informed of it.
actor TrafficProgrammer {
  let plane: any TrafficPlane
  let sockets: SocketCounter
  private let networks: any NodeNetworks
  private let dispatcher: any Dispatcher
  let clock: AgentClock
  let logger: Logger
  var state = TrafficState()
  private let wakes: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation
  let countWakes: AsyncStream<Void>
  let countWake: AsyncStream<Void>.Continuation
  var isCountDue = false

  init(
    plane: any TrafficPlane, networks: any NodeNetworks, sockets: any TaskSockets, dispatcher: any Dispatcher, clock: AgentClock,
    logger: Logger
  ) {
    self.plane = plane
    self.networks = networks
    self.sockets = SocketCounter(sockets: sockets, clock: clock, logger: logger)
    self.dispatcher = dispatcher
    self.clock = clock
    self.logger = logger
    // One wake is enough for any number of changes.
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    (countWakes, countWake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// `own` are the node's tasks, `draining` those of them that are to stop and may have connections by overlay networks.
  func want(_ table: EndpointTable, own: Set<String>, draining: Set<String>) {
    state.want(table, own: own, draining: draining)
    wake.yield()
  }

  func withdraw(_ task: String) {
    state.withdraw(task)
    wake.yield()
  }

  func sessionBegan() {
    state.forgetReports()
    wake.yield()
  }

  /// Until cancelled. Once.
  func run(_ locate: @escaping SocketCounter.Locate) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.followRelay() }
      group.addTask { await self.countWhileDraining(locate) }
      group.addTask { await self.retryFailedPorts() }
      group.addTask { await self.followPeers() }
      for await _ in wakes { await catchUp(locate) }
    }
  }

  private func catchUp(_ locate: @escaping SocketCounter.Locate) async {
    var backoff = Backoff()
    while let table = state.next, !Task.isCancelled {
      let tasks = state.draining(by: table)
      do {
        let outcome = try await plane.program(table)
        let lost = state.takeLost()
        if !lost.isEmpty { await plane.cut(lost) }
        await networks.sendsTo(state.addresses)
        let count = state.beginCount()
        let open = try await openConnections(tasks, locate)
        state.applied(table, outcome)
        state.counted(open, in: count)
        countWake.yield()
      } catch {
        logger.warning("programming traffic failed", metadata: ["generation": "\(table.generation)", "error": "\(error)"])
        do { try await clock.sleep(backoff.next()) } catch { return }
      }
    }
    await sendReport()
  }

  /// Faster than the managers' judgement, which others may not share: this node alone leaves a silent one out.
  private func followPeers() async {
    for await silent in await networks.silentPeers() {
      state.suspend(silent)
      wake.yield()
    }
  }

  /// What the relay says changes only when to ask: an element may be older than the table in force.
  private func followRelay() async {
    for await _ in plane.drainingConnections() { countWake.yield() }
  }

  /// Between two counts of which only both together say that there is nothing.
  static let secondLook = Duration.milliseconds(30)

  func openConnections(
    _ tasks: [String: CountedPorts], _ locate: @escaping SocketCounter.Locate
  ) async throws -> [String: Int] {
    let counts = try await countConnections(tasks, locate)
    // One that is just being established is for a moment in neither of the lists that the kernel goes through; of the relay's own we
    // know by the relay.
    let unsure = tasks.filter { counts[$0.key] == 0 && ($0.value == .all || state.offloaded.contains($0.key)) }
    guard !unsure.isEmpty else { return counts }
    try await clock.sleep(Self.secondLook)
    return counts.merging(try await countConnections(unsure, locate), uniquingKeysWith: max)
  }

  /// The relay knows UDP's sessions and what it is about to connect, the namespaces know the rest.
  private func countConnections(_ tasks: [String: CountedPorts], _ locate: @escaping SocketCounter.Locate) async throws
    -> [String: Int]
  {
    guard !tasks.isEmpty else { return [:] }
    async let seen = sockets.count(tasks, locate)
    let relayed = try await plane.openConnections(of: tasks.keys.sorted())
    var larger = await relayed.merging(seen.open, uniquingKeysWith: max)
    // The relay knows nothing of what the packet filter carries: until the engine answers there may be some.
    for task in await seen.unknown.intersection(state.offloaded) { larger[task] = max(larger[task] ?? 0, 1) }
    return tasks.reduce(into: [:]) { $0[$1.key] = larger[$1.key] ?? 0 }
  }

  func sendReport() async {
    guard let report = state.report() else { return }
    await dispatcher.report(traffic: report)
  }

  private func retryFailedPorts() async {
    while (try? await clock.sleep(.seconds(5))) != nil {
      guard state.hasFailedPorts else { continue }
      state.retryFailedPorts()
      wake.yield()
    }
  }
}

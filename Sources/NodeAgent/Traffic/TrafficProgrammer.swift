// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterRPC
import Logging

/// Keeps the data plane at the newest table and the managers informed of it.
actor TrafficProgrammer {
  private let plane: any TrafficPlane
  private let dispatcher: any Dispatcher
  private let clock: AgentClock
  private let logger: Logger
  private var state = TrafficState()
  private let wakes: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  init(plane: any TrafficPlane, dispatcher: any Dispatcher, clock: AgentClock, logger: Logger) {
    self.plane = plane
    self.dispatcher = dispatcher
    self.clock = clock
    self.logger = logger
    // One wake is enough for any number of changes.
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func want(_ table: EndpointTable) {
    state.want(table)
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
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.followCounts() }
      group.addTask { await self.retryFailedPorts() }
      for await _ in wakes { await catchUp() }
    }
  }

  private func catchUp() async {
    var backoff = Backoff()
    while let table = state.next, !Task.isCancelled {
      do {
        let outcome = try await plane.program(table)
        state.applied(table, outcome)
        if !state.draining.isEmpty { state.counted(try await plane.openConnections(of: state.draining)) }
      } catch {
        logger.warning("programming traffic failed", metadata: ["generation": "\(table.generation)", "error": "\(error)"])
        do { try await clock.sleep(backoff.next()) } catch { return }
      }
    }
    await sendReport()
  }

  private func followCounts() async {
    for await counts in plane.drainingConnections() {
      state.counted(counts)
      await sendReport()
    }
  }

  private func sendReport() async {
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

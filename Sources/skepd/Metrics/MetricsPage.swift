// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import DataPlane
import Overlay
import Synchronization
import Telemetry

/// What scrapers are told.
final class MetricsPage: Sendable {
  /// How long a scrape waits for the relay. One that is away or hangs is told as such.
  private static let patience = Duration.seconds(1)
  /// A report serves all that is asked in so short a time, so that no number of scrapers makes work for the relay.
  private static let freshness = Duration.milliseconds(50)

  private let relay: RelaySupervisor
  private let node: SwarmNode
  private let offload = OffloadReader()
  private let last = Mutex<(report: RelayReport, at: ContinuousClock.Instant)?>(nil)

  init(relay: RelaySupervisor, node: SwarmNode) {
    self.relay = relay
    self.node = node
  }

  func bytes() async -> [UInt8] {
    let report = await report()
    let failures = relay.failures
    var names = TableNames()
    if let report, case .active(let swarm) = await node.state {
      names = await swarm.store.read { TableNames(report, failures, in: $0) }
    }
    let families =
      [MetricFamily.one(.buildInfo, 1, [.init("version", Release.version)])] + ProcessUsage.families()
      + RelayMetrics(report: report, failures: failures, names: names).families
    return TextFormat.bytes(of: families)
  }

  private func report() async -> RelayReport? {
    if let last = last.withLock({ $0 }), last.at + Self.freshness > .now { return last.report }
    var report = await withTaskGroup(of: RelayReport?.self) { group in
      group.addTask { [relay] in try? await relay.report() }
      group.addTask {
        try? await Task.sleep(for: Self.patience)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    if report != nil { report?.add(await offload.counts()) }
    last.withLock { [report] in $0 = report.map { ($0, .now) } }
    return report
  }
}

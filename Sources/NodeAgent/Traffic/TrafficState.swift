// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterRPC

/// What is programmed, what should be, and what the managers were told of it.
package struct TrafficState: Sendable {
  private var wanted: EndpointTable?
  /// Tasks known here to be unfit, until a table comes without them. A task never runs twice, so this needs no way back.
  private var withdrawn: Set<String> = []
  private var applied: EndpointTable?
  private var outcome = TrafficOutcome(generation: 0)
  private var counts: [String: Int] = [:]
  private var reported: TrafficReport?

  package init() {}

  /// Tables of an older generation are ignored.
  package mutating func want(_ table: EndpointTable) {
    if let wanted, wanted.generation > table.generation { return }
    wanted = table
    withdrawn.formIntersection(table.listeners.flatMap(\.endpoints).map(\.id))
  }

  package mutating func withdraw(_ task: String) {
    guard let wanted, wanted.listeners.contains(where: { $0.endpoints.contains { $0.id == task } }) else { return }
    withdrawn.insert(task)
  }

  /// The table to program now; `nil` when it is in force.
  package var next: EndpointTable? {
    guard let target, target != applied else { return nil }
    return target
  }

  /// Draining endpoints stay: they get no new connections anyway, and the drain barrier asks for them.
  private var target: EndpointTable? {
    guard var table = wanted else { return nil }
    for index in table.listeners.indices {
      table.listeners[index].endpoints.removeAll { $0.state == .ready && withdrawn.contains($0.id) }
    }
    return table
  }

  package mutating func applied(_ table: EndpointTable, _ outcome: TrafficOutcome) {
    applied = table
    self.outcome = outcome
  }

  /// Makes the same table due again: a port that was taken may be free now.
  package mutating func retryFailedPorts() {
    if hasFailedPorts { applied = nil }
  }

  package var hasFailedPorts: Bool { !outcome.failedPorts.isEmpty }

  package mutating func counted(_ counts: [String: Int]) { self.counts = counts }

  /// The endpoints of the table in force that drain, sorted.
  package var draining: [String] {
    let endpoints = (applied ?? wanted)?.listeners.flatMap(\.endpoints) ?? []
    return Set(endpoints.filter { $0.state == .draining }.map(\.id)).sorted()
  }

  /// The report that is due; `nil` when the managers know all of it.
  package mutating func report() -> TrafficReport? {
    guard applied != nil || reported != nil else { return nil }
    let open = Dictionary(draining.map { ($0, counts[$0] ?? 0) }) { first, _ in first }
    let report = TrafficReport(generation: outcome.generation, openConnections: open, failedPorts: outcome.failedPorts)
    guard report != reported else { return nil }
    reported = report
    return report
  }

  /// A new session starts from nothing.
  package mutating func forgetReports() { reported = nil }
}

// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import ClusterRPC

/// What is programmed, what should be, and what the managers were told of it.
package struct TrafficState: Sendable {
  private var wanted: EndpointTable?
  /// Own tasks that drain and are on overlay networks, and those that were when the table in force was applied.
  private var wantedDrains: Set<String> = []
  private var appliedDrains: Set<String> = []
  /// Tasks known here to be unfit, until a table comes without them. A task never runs twice, so this needs no way back.
  private var withdrawn: Set<String> = []
  /// Of nodes that do not answer this one, whatever the managers think of them.
  private var silent: Set<IPv4Subnet> = []
  /// Endpoints lost since `takeLost`.
  private var lost: Set<IPv4Address> = []
  private var applied: EndpointTable?
  private var outcome = TrafficOutcome(generation: 0)
  /// Open connections of each endpoint that drains, with the count that told of them.
  private var open: [String: (connections: Int, count: UInt64)] = [:]
  private var lastCount: UInt64 = 0
  /// This node's tasks that the managers were told have no connection left, though some may come past the relay: with what to count.
  private var drained: [String: CountedPorts] = [:]
  private var own: Set<String> = []
  private var reported: TrafficReport?

  package init() {}

  /// Tables of an older generation are ignored. `own` are this node's tasks, `draining` those of them that may have connections by overlay
  /// networks and are to stop.
  package mutating func want(_ table: EndpointTable, own: Set<String> = [], draining: Set<String> = []) {
    self.own = own
    drained = drained.filter { own.contains($0.key) }
    if let wanted, wanted.generation > table.generation { return }
    wanted = table
    wantedDrains = draining
    withdrawn.formIntersection(table.listeners.flatMap(\.endpoints).map(\.id))
  }

  package mutating func withdraw(_ task: String) {
    guard let wanted, wanted.listeners.contains(where: { $0.endpoints.contains { $0.id == task } }) else { return }
    withdrawn.insert(task)
  }

  /// Endpoints there get nothing until it is called without them, as long as their listener has others.
  package mutating func suspend(_ subnets: Set<IPv4Subnet>) {
    let new = subnets.subtracting(silent)
    silent = subnets
    guard let target else { return }
    // Those that are still in the target are the last ones of a listener.
    let kept = Set(target.listeners.flatMap { $0.endpoints.filter { $0.state == .ready }.map(\.address) })
    lost.formUnion(addresses.filter { address in !kept.contains(address) && new.contains { $0.contains(address) } })
  }

  /// Whose connections are to be ended, once a table without them is in force.
  package mutating func takeLost() -> Set<IPv4Address> {
    defer { lost = [] }
    return lost
  }

  /// All that traffic may go to.
  package var addresses: Set<IPv4Address> { Set((wanted?.listeners ?? []).flatMap { $0.endpoints.map(\.address) }) }

  /// The table to program now; `nil` when it is in force.
  package var next: EndpointTable? {
    guard let target, target != applied || wantedDrains != appliedDrains else { return nil }
    return target
  }

  /// Draining endpoints stay: they get no new connections anyway, and the drain barrier asks for them.
  private var target: EndpointTable? {
    guard var table = wanted else { return nil }
    for index in table.listeners.indices {
      table.listeners[index].endpoints.removeAll { $0.state == .ready && withdrawn.contains($0.id) }
      if !silent.isEmpty { table.listeners[index].leaveOut(silent) }
    }
    return table
  }

  package mutating func applied(_ table: EndpointTable, _ outcome: TrafficOutcome) {
    applied = table
    appliedDrains = wantedDrains
    self.outcome = outcome
    let draining = Set(draining)
    open = open.filter { draining.contains($0.key) }
  }

  /// Makes the same table due again: a port that was taken may be free now.
  package mutating func retryFailedPorts() {
    if hasFailedPorts { applied = nil }
  }

  package var hasFailedPorts: Bool { !outcome.failedPorts.isEmpty }

  /// A count begins; it may end after one that began later.
  package mutating func beginCount() -> UInt64 {
    lastCount += 1
    return lastCount
  }

  /// What an older count says of an endpoint is ignored. A table is applied and counted in one go: its drains are over when the
  /// managers hear that nothing is open.
  package mutating func counted(_ connections: [String: Int], in count: UInt64) {
    for (id, number) in connections where open[id].map({ $0.count < count }) ?? true { open[id] = (number, count) }
  }

  /// The endpoints of the table in force that drain, sorted.
  package var draining: [String] { drainingPorts.keys.sorted() }

  /// Tasks whose clients may have come past the relay, by the table in force or the one that is about to be.
  package var offloaded: Set<String> {
    let listeners = [applied, wanted].compactMap { $0?.listeners.filter(\.mayOffload) }.joined()
    return Set(listeners.flatMap { $0.endpoints.map(\.id) })
  }

  /// Their TCP ports.
  package var drainingPorts: [String: CountedPorts] { (applied ?? wanted).map(draining) ?? [:] }

  /// The same with a table that is about to be in force.
  package func draining(by table: EndpointTable) -> [String: CountedPorts] {
    table.drainingPorts.merging(wantedDrains.map { ($0, .all) }) { _, all in all }
  }

  /// The report that is due; `nil` when the managers know all of it.
  package mutating func report() -> TrafficReport? {
    guard applied != nil || reported != nil else { return nil }
    let connections = Dictionary(draining.map { ($0, open[$0]?.connections ?? 0) }) { first, _ in first }
    noteDrained(connections)
    let report = TrafficReport(generation: outcome.generation, openConnections: connections, failedPorts: outcome.failedPorts)
    guard report != reported else { return nil }
    reported = report
    return report
  }

  private mutating func noteDrained(_ connections: [String: Int]) {
    let ports = drainingPorts
    for (id, count) in connections where own.contains(id) { drained[id] = count == 0 ? pastRelay(id, ports[id]) : nil }
  }

  /// Where connections may come past the relay, which then is not the one to know of all.
  private func pastRelay(_ id: String, _ ports: CountedPorts?) -> CountedPorts? {
    ports == .all || offloaded.contains(id) ? ports : nil
  }

  /// Whether the managers believe, by this node's word, that nothing is open to a task: with what to count. Once for each.
  package mutating func takeDrained(_ task: String) -> CountedPorts? { drained.removeValue(forKey: task) }

  /// A new session starts from nothing.
  package mutating func forgetReports() { reported = nil }
}

extension Listener {
  /// Without ready endpoints in these subnets, unless there are no others: what answers nobody here may still be all there is.
  fileprivate mutating func leaveOut(_ subnets: Set<IPv4Subnet>) {
    let rest = endpoints.filter { endpoint in
      endpoint.state != .ready || !subnets.contains { $0.contains(endpoint.address) }
    }
    if rest.contains(where: { $0.state == .ready }) { endpoints = rest }
  }
}

extension EndpointTable {
  /// The endpoints that drain, with their TCP ports: none for one that is reached by UDP only.
  var drainingPorts: [String: CountedPorts] {
    var found: [String: Set<UInt16>] = [:]
    for listener in listeners {
      for endpoint in listener.endpoints where endpoint.state == .draining {
        found[endpoint.id, default: []].formUnion(listener.transport == .tcp ? [endpoint.port] : [])
      }
    }
    return found.mapValues { .these($0) }
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Judges from their heartbeats which nodes are lost.
///
/// Times are of one monotonic clock. Nothing here is stored: a new judge gives every node a grace, within which it must be heard.
package struct NodeMonitor: Sendable {
  /// Between two heartbeats of a node.
  package var period: Duration

  /// How often `judge` is to be called: what it is called later than that is given back to every node.
  package static let interval = Duration.milliseconds(100)
  /// Heartbeats that must be missing, in a row.
  static let misses = 4
  /// For nodes that a new judge has not heard of yet.
  package static let grace = Duration.seconds(5)
  /// So long nothing is replaced when the judge suspects itself.
  package static let brake = Duration.seconds(30)
  /// Fewer nodes than this say nothing about the judge.
  static let crowd = 3

  package enum Verdict: Sendable, Hashable {
    /// Its tasks are to run elsewhere.
    case down(String)
    /// Not heard of, and not to be condemned for it yet: too many others are silent too.
    case unknown(String)
  }

  private struct Watch: Sendable {
    /// Or the moment that counts as such: a grace or a lease lies in the future.
    var heard: Duration
    /// Has been called unknown since it was heard.
    var isSuspended = false
  }

  /// Of nodes that are lost again and again.
  package var damper = FlapDamper()
  package var registrations = RegistrationLimit()
  private var nodes: [String: Watch] = [:]
  private var judged: Duration?
  private var brakeEnd: Duration?

  package init(period: Duration) { self.period = period }

  private var patience: Duration { period * Self.misses }

  /// Nodes that were up for the judge before this one, or before a pause of it.
  package mutating func begin(with ids: some Sequence<String>, at now: Duration) {
    for id in ids where nodes[id] == nil { nodes[id] = Watch(heard: now + Self.grace - patience) }
  }

  /// A node was heard: with a registration or a heartbeat. Whether it had been called unknown.
  @discardableResult
  package mutating func heard(_ id: String, at now: Duration) -> Bool {
    let wasSuspended = nodes[id]?.isSuspended == true
    nodes[id] = Watch(heard: now)
    return wasSuspended
  }

  /// A node has said goodbye and will be back within `lease`.
  package mutating func excuse(_ id: String, for lease: Duration, at now: Duration) {
    nodes[id] = Watch(heard: max(nodes[id]?.heard ?? now, now + lease - patience))
  }

  /// A node that is gone for good, or down already.
  package mutating func forget(_ id: String) {
    nodes[id] = nil
    damper.forget(id)
    registrations.forget(id)
  }

  package func isWatched(_ id: String) -> Bool { nodes[id] != nil }
  package func isSuspended(_ id: String) -> Bool { nodes[id]?.isSuspended == true }

  /// Gives the verdicts of this moment, each once. A node that is down is watched again when it is heard.
  package mutating func judge(at now: Duration) -> [Verdict] {
    giveBackLateness(now)
    let overdue = nodes.filter { now - $0.value.heard >= patience }.keys.sorted()
    guard !overdue.isEmpty else { return [] }
    if brakeEnd == nil, isJudgeSuspect(now) { brakeEnd = now + Self.brake }
    if let end = brakeEnd, now < end { return overdue.compactMap { suspend($0) } }
    brakeEnd = nil
    for id in overdue {
      nodes[id] = nil
      damper.lost(id, at: now)
    }
    return overdue.map(Verdict.down)
  }

  /// A judge that was paused, or starved, has not listened meanwhile.
  private mutating func giveBackLateness(_ now: Duration) {
    defer { judged = now }
    guard let judged, now - judged > Self.interval else { return }
    let lateness = now - judged - Self.interval
    for id in nodes.keys { nodes[id]?.heard += lateness }
    if let end = brakeEnd { brakeEnd = end + lateness }
  }

  /// More than half have fallen silent within the same two periods: that is more likely our own network, or us.
  private func isJudgeSuspect(_ now: Duration) -> Bool {
    let silent = nodes.values.count { now - $0.heard >= patience - period * 2 }
    return nodes.count >= Self.crowd && silent * 2 > nodes.count
  }

  private mutating func suspend(_ id: String) -> Verdict? {
    guard nodes[id]?.isSuspended == false else { return nil }
    nodes[id]?.isSuspended = true
    return .unknown(id)
  }
}

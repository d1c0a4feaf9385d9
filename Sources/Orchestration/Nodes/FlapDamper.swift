// SPDX-License-Identifier: Apache-2.0

/// Gives nodes that are lost and come back again and again new tasks only after a while, which grows with each loss.
///
/// Moving tasks onto such a node costs more than it brings. Times are of one monotonic clock; nothing is stored, so a new judge begins
/// with patience for all.
package struct FlapDamper: Sendable {
  /// Losses older than this are forgotten.
  package static let window = Duration.seconds(600)
  /// So many losses within the window are nobody's habit.
  static let tolerated = 2
  /// What the next one costs, doubled by each further one.
  static let first = Duration.seconds(15)
  static let longest = Duration.seconds(300)

  /// A node that is there and is not to be given tasks yet.
  package struct Hold: Sendable, Hashable {
    package var losses: Int
    package var until: Duration
  }

  private var losses: [String: [Duration]] = [:]
  private var holds: [String: Hold] = [:]
  /// The last loss that has been paid for.
  private var paid: [String: Duration] = [:]

  package init() {}

  /// A node was judged lost.
  package mutating func lost(_ id: String, at now: Duration) {
    losses[id] = (losses[id] ?? []).filter { now - $0 < Self.window } + [now]
    holds[id] = nil
  }

  /// A node has registered. What it is held for, counted from when it first came back.
  package mutating func back(_ id: String, at now: Duration) -> Hold? {
    if let hold = holds[id] { return hold.until > now ? hold : nil }
    let recent = (losses[id] ?? []).filter { now - $0 < Self.window }
    losses[id] = recent.isEmpty ? nil : recent
    let extra = recent.count - Self.tolerated
    guard extra > 0, paid[id] != recent.last else { return nil }
    paid[id] = recent.last
    let pause = min(Self.first * Int(1 << min(extra - 1, 10)), Self.longest)
    let hold = Hold(losses: recent.count, until: now + pause)
    holds[id] = hold
    return hold
  }

  package mutating func forget(_ id: String) {
    losses[id] = nil
    holds[id] = nil
    paid[id] = nil
  }

  package func isHeld(_ id: String, at now: Duration) -> Bool { holds[id].map { $0.until > now } ?? false }

  /// Who may be given tasks from now on; each once.
  package mutating func released(at now: Duration) -> [String] {
    let ids = holds.filter { $0.value.until <= now }.keys.sorted()
    for id in ids { holds[id] = nil }
    return ids
  }
}

extension FlapDamper.Hold {
  /// For the node's status.
  package func message(at now: Duration) -> String {
    let minutes = FlapDamper.window.components.seconds / 60
    let rest = max(1, (until - now).components.seconds)
    return "lost \(losses) times within \(minutes) minutes: gets tasks again in \(rest) s"
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Swarm's limit to how often a node may begin a session: after the first, three more as long as less than 8 s lie between them.
package struct RegistrationLimit: Sendable {
  package static let period = Duration.seconds(8)
  static let count = 3

  private struct Entry: Sendable {
    var registered: Duration
    var attempts = 0
  }

  private var nodes: [String: Entry] = [:]

  package init() {}

  /// Whether the node may begin one now.
  package mutating func admits(_ id: String, at now: Duration) -> Bool {
    guard var entry = nodes[id] else {
      nodes[id] = Entry(registered: now)
      return true
    }
    if now - entry.registered > Self.period { entry.attempts = 0 }
    entry.attempts += 1
    let isAdmitted = entry.attempts <= Self.count
    if isAdmitted { entry.registered = now }
    nodes[id] = entry
    return isAdmitted
  }

  package mutating func forget(_ id: String) { nodes[id] = nil }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What is left of a node's generic resources.
struct GenericPool: Sendable, Hashable {
  private var free: [GenericResource]

  init(_ all: [GenericResource]) { free = all }

  /// What a task with these reservations would be given: names where the node's have names, else counts. `nil` when there is not
  /// enough, or a reservation asks for a name: swarm takes such a spec and never places it.
  func claim(_ reservations: [GenericResource]) -> [GenericResource]? {
    var rest = self
    var claimed: [GenericResource] = []
    for reservation in reservations {
      guard let count = reservation.count, let part = rest.choose(reservation.kind, count) else { return nil }
      rest.take(part)
      claimed += part
    }
    return claimed
  }

  private func choose(_ kind: String, _ count: Int64) -> [GenericResource]? {
    let candidates = free.filter { $0.kind == kind }
    guard let first = candidates.first else { return nil }
    guard let available = first.count else {
      return count <= candidates.count ? Array(candidates.prefix(Int(clamping: max(count, 0)))) : nil
    }
    guard count <= available else { return nil }
    return count > 0 ? [.discrete(kind, count)] : []
  }

  /// Whether all of it is there: a node's resources may have changed since a task was given some.
  func holds(_ claimed: [GenericResource]) -> Bool {
    claimed.allSatisfy { resource in
      guard let count = resource.count else { return free.contains(resource) }
      return free.contains { $0.kind == resource.kind && ($0.count ?? 0) >= count }
    }
  }

  /// What is not there is not taken. A count that is used up stays as zero, so that its kind stays known.
  mutating func take(_ claimed: [GenericResource]) {
    for resource in claimed {
      if let count = resource.count {
        guard let index = free.firstIndex(where: { $0.kind == resource.kind && $0.count != nil }) else { continue }
        free[index] = .discrete(resource.kind, max(0, (free[index].count ?? 0) - count))
      } else if let index = free.firstIndex(of: resource) {
        free.remove(at: index)
      }
    }
  }
}

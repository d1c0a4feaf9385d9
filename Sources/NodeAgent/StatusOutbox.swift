// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Statuses on their way to the managers: the latest of each task, so it never holds more than there are tasks.
package struct StatusOutbox: Sendable {
  private var pending: [String: TaskStatus] = [:]

  package init() {}

  package var isEmpty: Bool { pending.isEmpty }

  package mutating func add(_ status: TaskStatus, of task: String) {
    if pending[task]?.yields(to: status) ?? true { pending[task] = status }
  }

  package mutating func take() -> [String: TaskStatus] {
    defer { pending = [:] }
    return pending
  }

  /// What could not be delivered, unless something newer has come since.
  package mutating func putBack(_ batch: [String: TaskStatus]) {
    for (task, status) in batch where pending[task] == nil { pending[task] = status }
  }

  package mutating func forget(_ task: String) { pending[task] = nil }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterStore
import DataPlane

/// What people call the services and tasks in the relay's table. What the store does not know any more goes by its id.
struct TableNames: Sendable, Equatable {
  var services: [String: String] = [:]
  var tasks: [String: String] = [:]

  func service(_ id: String) -> String { services[id] ?? id }
  func task(_ id: String) -> String { tasks[id] ?? id }
}

extension TableNames {
  init(_ report: RelayReport, _ failures: [ProgramResult.Failure], in store: ClusterStore) {
    for listener in report.listeners.map(\.id) + failures.map(\.listener) {
      let id = Listener.service(ofListener: listener)
      services[id] = store.services[id]?.spec.name
    }
    for task in report.listeners.flatMap(\.endpoints).map(\.id) { tasks[task] = store.tasks[task]?.slotName }
  }
}

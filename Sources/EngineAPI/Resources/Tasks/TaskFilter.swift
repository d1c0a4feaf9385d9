// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Which tasks a list request wants.
package struct TaskFilter: Sendable {
  private let filters: Filters
  private let states: Set<TaskState>

  package init(_ text: String?) throws(APIError) {
    filters = try Filters(
      text,
      allowed: ["id", "name", "label", "service", "node", "desired-state", "runtime", "_up-to-date"])
    states = try Self.states(filters["desired-state"])
  }

  private static func states(_ names: [String]) throws(APIError) -> Set<TaskState> {
    var states: Set<TaskState> = []
    for name in names where !name.isEmpty {
      // The last is a state of the API's schema that no task is ever in.
      guard let state = TaskState(name: name.lowercased()), state != .allocated else {
        throw APIError(status: 500, "Invalid desired-state filter: '\(name)'")
      }
      states.insert(state)
    }
    return states
  }

  /// Sorted by id. Throws 404 for a service or node that there is not.
  package func tasks(in store: ClusterStore) throws(APIError) -> [ClusterTask] {
    var services: Set<String> = []
    for reference in filters["service"] { services.insert(try store.lookUpService(reference).id) }
    var nodes: Set<String> = []
    for reference in filters["node"] { nodes.insert(try store.lookUpNode(reference).id) }
    // The ids are sorted, not the tasks, which are large to move about.
    let found = candidates(in: store, services, nodes).filter { matches($0, services, nodes, store) }
    return found.map(\.id).sorted().compactMap { store.tasks[$0] }
  }

  /// By the narrowest index there is.
  private func candidates(in store: ClusterStore, _ services: Set<String>, _ nodes: Set<String>) -> [ClusterTask] {
    let lists =
      services.isEmpty ? nodes.map { store.taskIDs(onNode: $0) } : services.map { store.taskIDs(ofService: $0) }
    if lists.isEmpty { return Array(store.tasks.values) }
    return lists.flatMap { $0.compactMap { store.tasks[$0] } }
  }

  private func matches(
    _ task: ClusterTask, _ services: Set<String>, _ nodes: Set<String>, _ store: ClusterStore
  ) -> Bool {
    (services.isEmpty || services.contains(task.serviceID)) && (nodes.isEmpty || nodes.contains(task.nodeID))
      && (states.isEmpty || states.contains(task.desiredState)) && filters.matchesPrefix("id", task.id)
      && (!filters.contains("name") || filters.matchesPrefix("name", task.name))
      && filters.matchesLabels("label", task.template.serviceLabels) && filters.matchesExactly("runtime", "container")
      && (!filters.contains("_up-to-date") || isUpToDate(task, store))
  }

  private func isUpToDate(_ task: ClusterTask, _ store: ClusterStore) -> Bool {
    guard let service = store.services[task.serviceID] else { return false }
    return task.isUpToDate(with: service, on: store.nodes[task.nodeID])
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listTasks(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filter = try TaskFilter(call.query["filters"])
    let store = await swarm.store.read { $0 }
    var json = TaskJSON(store: store)
    return .json(.array(try filter.tasks(in: store).map { try json.value($0) }))
  }

  func inspectTask(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let store = await swarm.store.read { $0 }
    var json = TaskJSON(store: store)
    return .json(try json.value(try store.lookUpTask(call.id)))
  }
}

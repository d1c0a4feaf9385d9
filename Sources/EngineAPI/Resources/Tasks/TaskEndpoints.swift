// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listTasks(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filter = try TaskFilter(call.query["filters"])
    let store = await swarm.store.read { $0 }
    var list = TaskList(of: store, ready: readyTasks)
    return .json(text: try list.json(filter))
  }

  func inspectTask(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let store = await swarm.store.read { $0 }
    var list = TaskList(of: store, ready: readyTasks)
    return .json(text: try list.json(try store.lookUpTask(call.id)))
  }
}

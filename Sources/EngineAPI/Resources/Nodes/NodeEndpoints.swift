// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listNodes(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filter = try NodeFilter(call.query["filters"])
    let store = await swarm.store.read { $0 }
    let tls = ClusterJSON.tls(store.cluster?.trustRoot ?? "")
    let found = store.nodes.values.filter(filter.matches).sorted { $0.id < $1.id }
    return .json(.array(try found.map { try NodeJSON.value($0, leaderID: swarm.nodeID, tls: tls) }))
  }

  func inspectNode(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let (node, root) = try await swarm.store.read { (try $0.lookUpNode(call.id), $0.cluster?.trustRoot ?? "") }
    return .json(try NodeJSON.value(node, leaderID: swarm.nodeID, tls: ClusterJSON.tls(root)))
  }

  func updateNode(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let spec = try call.decode(NodeSpec.self)
    let version = try call.objectVersion(of: "node")
    let checked = try spec.checked()
    let id = try await swarm.store.read { try $0.lookUpNode(call.id).id }
    let time = now()
    try await swarm.store.transaction { transaction in
      try NodeResource.update(id, to: checked, version: version, now: time, in: &transaction)
    }
    return Response()
  }

  func removeNode(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let force = call.query.flag("force")
    let id = try await swarm.store.read { try $0.lookUpNode(call.id).id }
    let time = now()
    try await swarm.store.batch { transaction in
      try NodeResource.remove(id, force: force, now: time, in: &transaction)
    }
    return Response()
  }
}

/// Which nodes a list request wants.
package struct NodeFilter: Sendable {
  private let filters: Filters

  package init(_ text: String?) throws(APIError) {
    filters = try Filters(text, allowed: ["id", "name", "label", "node.label", "role", "membership"])
    if let bad = filters["role"].first(where: { !["manager", "worker"].contains($0.lowercased()) }) {
      throw APIError(status: 500, "Invalid role filter: '\(bad)'")
    }
    if let bad = filters["membership"].first(where: { !["accepted", "pending"].contains($0.lowercased()) }) {
      throw APIError(status: 500, "Invalid membership filter: '\(bad)'")
    }
  }

  /// `label` is about the engine's labels, `node.label` about the node's own.
  package func matches(_ node: Node) -> Bool {
    let role = node.isManager ? "manager" : "worker"
    return filters.matchesPrefix("id", node.id) && filters.matchesPrefix("name", node.description?.hostname ?? "")
      && filters.matchesLabels("label", node.description?.engine.labels ?? [:])
      && filters.matchesLabels("node.label", node.spec.labels)
      && (!filters.contains("role") || filters["role"].contains { $0.lowercased() == role })
      && (!filters.contains("membership") || filters["membership"].contains { $0.lowercased() == "accepted" })
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listNodes(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filter = try NodeFilter(call.query["filters"])
    let store = await swarm.store.read { $0 }
    let tls = Self.tls(store.cluster)
    let found = store.nodes.values.filter(filter.matches).sorted { $0.id < $1.id }
    return .json(.array(try found.map { try NodeJSON.value($0, leaderID: swarm.nodeID, tls: tls) }))
  }

  func inspectNode(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let (node, cluster) = try await swarm.store.read { (try $0.lookUpNode(call.id), $0.cluster) }
    return .json(try NodeJSON.value(node, leaderID: swarm.nodeID, tls: Self.tls(cluster)))
  }

  private static func tls(_ cluster: Cluster?) -> JSONValue {
    ClusterJSON.tls(cluster?.trustRoot ?? "", issuer: cluster?.issuer)
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
  private let roles: [String]
  private let memberships: [String]

  package init(_ text: String?) throws(APIError) {
    filters = try Filters(text, allowed: ["id", "name", "label", "node.label", "role", "membership"])
    roles = try Self.words("role", ["manager", "worker"], in: filters)
    memberships = try Self.words("membership", ["accepted", "pending"], in: filters)
  }

  /// In lower case; empty values say nothing.
  private static func words(_ key: String, _ known: Set<String>, in filters: Filters) throws(APIError) -> [String] {
    let given = filters[key].filter { !$0.isEmpty }
    if let bad = given.first(where: { !known.contains($0.lowercased()) }) {
      throw APIError(status: 500, "Invalid \(key) filter: '\(bad)'")
    }
    return given.map { $0.lowercased() }
  }

  /// `label` is about the engine's labels, `node.label` about the node's own.
  package func matches(_ node: Node) -> Bool {
    let role = node.isManager ? "manager" : "worker"
    return filters.matchesPrefix("id", node.id) && filters.matchesPrefix("name", node.description?.hostname ?? "")
      && filters.matchesLabels("label", node.description?.engine.labels ?? [:])
      && filters.matchesLabels("node.label", node.spec.labels)
      && (roles.isEmpty || roles.contains(role)) && (memberships.isEmpty || memberships.contains("accepted"))
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Nodes as the Engine API shows them.
package enum NodeJSON {
  /// `leaderID`: the node that `ManagerStatus.Leader` is true on. `tls` is the cluster's, for nodes that say nothing of theirs.
  package static func value(_ node: Node, leaderID: String, tls: JSONValue) throws -> JSONValue {
    var object = ObjectJSON.head(id: node.id, version: node.version, createdAt: node.createdAt, updatedAt: node.updatedAt)
    object.append("Spec", try GoJSONEncoder().encode(node.spec))
    object.append("Description", try node.description.map { try description($0, tls) } ?? [:])
    object.append("Status", status(node.status))
    if let address = node.managerAddr { object.append("ManagerStatus", manager(address, isLeader: node.id == leaderID)) }
    return .object(object)
  }

  private static func description(_ description: NodeDescription, _ tls: JSONValue) throws -> JSONValue {
    var object = JSONObject()
    object.append(nonEmpty: "Hostname", description.hostname)
    var platform = JSONObject()
    platform.append(nonEmpty: "Architecture", description.platform.architecture)
    platform.append(nonEmpty: "OS", description.platform.os)
    object.append("Platform", .object(platform))
    var resources = JSONObject()
    if description.resources.nanoCPUs != 0 { resources.append("NanoCPUs", JSONValue(description.resources.nanoCPUs)) }
    if description.resources.memoryBytes != 0 { resources.append("MemoryBytes", JSONValue(description.resources.memoryBytes)) }
    if let generic = description.resources.genericResources, !generic.isEmpty {
      resources.append("GenericResources", try GoJSONEncoder().encode(generic))
    }
    object.append("Resources", .object(resources))
    object.append("Engine", engine(description.engine))
    object.append("TLSInfo", description.tls.map { ClusterJSON.tls($0.trustRoot, issuer: $0.issuer) } ?? tls)
    return .object(object)
  }

  private static func engine(_ engine: NodeDescription.Engine) -> JSONValue {
    var object = JSONObject()
    object.append(nonEmpty: "EngineVersion", engine.engineVersion)
    if !engine.labels.isEmpty { object.append("Labels", JSONValue(engine.labels)) }
    let plugins: [JSONValue] = engine.plugins.map { ["Type": .string($0.type), "Name": .string($0.name)] }
    if !plugins.isEmpty { object.append("Plugins", .array(plugins)) }
    return .object(object)
  }

  private static func status(_ status: NodeStatus) -> JSONValue {
    var object = JSONObject()
    object.append("State", .string(status.state.rawValue))
    object.append(nonEmpty: "Message", status.message ?? "")
    object.append(nonEmpty: "Addr", status.addr)
    return .object(object)
  }

  private static func manager(_ address: String, isLeader: Bool) -> JSONValue {
    var object = JSONObject()
    if isLeader { object.append("Leader", true) }
    object.append("Reachability", "reachable")
    object.append(nonEmpty: "Addr", address)
    return .object(object)
  }
}

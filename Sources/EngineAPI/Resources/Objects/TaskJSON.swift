// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Tasks as the Engine API shows them. One value per answer: tasks of one template share its JSON.
package struct TaskJSON {
  private let store: ClusterStore
  private var specs: [TaskTemplate.Key: JSONValue] = [:]
  private lazy var ingress: JSONValue? = store.cluster.map { NetworkJSON(IngressNetwork(of: $0)).attachment }
  private var networks: [String: JSONValue] = [:]

  package init(store: ClusterStore) { self.store = store }

  package mutating func value(_ task: ClusterTask) throws -> JSONValue {
    var object = ObjectJSON.head(id: task.id, version: task.version, createdAt: task.createdAt, updatedAt: task.updatedAt)
    object.append("Labels", .object(JSONObject()))
    object.append("Spec", try spec(task.template))
    object.append(nonEmpty: "ServiceID", task.serviceID)
    if task.shownSlot > 0 { object.append("Slot", JSONValue(task.shownSlot)) }
    object.append(nonEmpty: "NodeID", task.nodeID)
    object.append("Status", Self.status(task))
    object.append("DesiredState", .string(task.desiredState.name))
    let attachments = [attachment(task)].compactMap { $0 } + task.addresses.compactMap { overlay($0) }
    if !attachments.isEmpty { object.append("NetworksAttachments", .array(attachments)) }
    if !task.genericResources.isEmpty { object.append("GenericResources", try GoJSONEncoder().encode(task.genericResources)) }
    if let iteration = task.jobIteration { object.append("JobIteration", ObjectJSON.version(iteration)) }
    object.append("Volumes", .null)
    return .object(object)
  }

  private mutating func spec(_ template: TaskTemplate) throws -> JSONValue {
    if let known = specs[template.key] { return known }
    let value = try GoJSONEncoder().encode(template.spec.asReadBack())
    specs[template.key] = value
    return value
  }

  private mutating func attachment(_ task: ClusterTask) -> JSONValue? {
    guard let address = task.ingressAddress, let cluster = store.cluster, let ingress else { return nil }
    let prefix = store.nodes[task.nodeID]?.ingressSubnet?.prefix ?? cluster.ingressPool.prefix
    return ["Network": ingress, "Addresses": [.string("\(address)/\(prefix)")]]
  }

  /// A network that is gone has left its ended tasks behind.
  private mutating func overlay(_ given: NetworkAddress) -> JSONValue? {
    guard let network = store.networks[given.networkID] else { return nil }
    let json = networks[network.id] ?? NetworkJSON(network).attachment
    networks[network.id] = json
    return ["Network": json, "Addresses": [.string("\(given.address)/\(network.subnet.prefix)")]]
  }

  private static func status(_ task: ClusterTask) -> JSONValue {
    let status = task.status
    var object = JSONObject()
    object.append("Timestamp", .string(status.timestamp.description))
    object.append("State", .string(status.state.name))
    object.append("Message", .string(status.message))
    object.append(nonEmpty: "Err", status.err)
    // Swarm's nodes tell of an empty one where none could be made.
    if !status.containerID.isEmpty || status.exitCode != 0 || (status.state == .rejected && status.message == "preparing") {
      object.append(
        "ContainerStatus",
        [
          "ContainerID": .string(status.containerID), "PID": JSONValue(status.pid), "ExitCode": JSONValue(status.exitCode),
        ])
    }
    var ports = JSONObject()
    if !status.hostPorts.isEmpty { ports.append("Ports", .array(status.hostPorts.map(ObjectJSON.port))) }
    object.append("PortStatus", .object(ports))
    return .object(object)
  }
}

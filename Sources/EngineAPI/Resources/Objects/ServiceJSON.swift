// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A service as the Engine API shows it.
package enum ServiceJSON {
  /// `networks` are the cluster's, by id.
  package static func value(
    _ service: Service, ingress: IngressNetwork?, networks: [String: Network] = [:], insertDefaults: Bool = false
  ) throws -> JSONValue {
    var object = ObjectJSON.head(
      id: service.id, version: service.version, createdAt: service.createdAt, updatedAt: service.updatedAt)
    let spec = insertDefaults ? service.spec.withDefaults() : service.spec
    object.append("Spec", try GoJSONEncoder().encode(spec.asReadBack()))
    if let previous = service.previousSpec {
      object.append("PreviousSpec", try GoJSONEncoder().encode(previous.asReadBack()))
    }
    object.append("Endpoint", try endpoint(service, ingress, networks))
    if let status = service.updateStatus { object.append("UpdateStatus", update(status)) }
    if let status = service.jobStatus {
      object.append(
        "JobStatus",
        [
          "JobIteration": ObjectJSON.version(status.iteration), "LastExecution": .string(status.lastExecution.description),
        ])
    }
    return .object(object)
  }

  /// `{"Spec":{}}` until the allocator has seen the service, and for one that publishes nothing.
  private static func endpoint(
    _ service: Service, _ ingress: IngressNetwork?, _ networks: [String: Network]
  ) throws -> JSONValue {
    var object = JSONObject()
    guard let given = service.endpoint, !given.ports.isEmpty || given.virtualIPs != nil else { return ["Spec": [:]] }
    object.append("Spec", try GoJSONEncoder().encode(given.spec))
    if !given.ports.isEmpty { object.append("Ports", .array(given.ports.map(ObjectJSON.port))) }
    var addresses: [JSONValue] = []
    if let address = given.virtualIP, let ingress { addresses.append(virtualIP(ingress.id, address, ingress.subnet)) }
    for own in given.virtualIPs ?? [] {
      guard let network = networks[own.networkID] else { continue }
      addresses.append(virtualIP(network.id, own.address, network.subnet))
    }
    if !addresses.isEmpty { object.append("VirtualIPs", .array(addresses)) }
    return .object(object)
  }

  private static func virtualIP(_ network: String, _ address: IPv4Address, _ subnet: IPv4Subnet) -> JSONValue {
    ["NetworkID": .string(network), "Addr": .string("\(address)/\(subnet.prefix)")]
  }

  private static func update(_ status: Service.UpdateStatus) -> JSONValue {
    var object = JSONObject()
    object.append("State", .string(status.state.rawValue))
    object.append("StartedAt", .string(status.startedAt.description))
    if let completed = status.completedAt { object.append("CompletedAt", .string(completed.description)) }
    object.append(nonEmpty: "Message", status.message)
    return .object(object)
  }
}

extension ServiceSpec {
  /// The spec as swarm returns it: what is kept, which is canonical, and two members that are always there.
  func asReadBack() -> ServiceSpec {
    var spec = self
    spec.taskTemplate = taskTemplate.asReadBack()
    if taskTemplate.runtime == nil { spec.taskTemplate.runtime = "container" }
    return spec
  }
}

extension TaskSpec {
  func asReadBack() -> TaskSpec {
    var spec = self
    if containerSpec?.isolation == nil { spec.containerSpec?.isolation = "default" }
    return spec
  }
}

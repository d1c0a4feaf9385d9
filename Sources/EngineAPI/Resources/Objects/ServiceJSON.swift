// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// A service as the Engine API shows it.
package enum ServiceJSON {
  package static func value(_ service: Service, ingress: IngressNetwork?, insertDefaults: Bool = false) throws -> JSONValue {
    var object = ObjectJSON.head(
      id: service.id, version: service.version, createdAt: service.createdAt, updatedAt: service.updatedAt)
    let spec = insertDefaults ? service.spec.withDefaults() : service.spec
    object.append("Spec", try GoJSONEncoder().encode(spec.asReadBack()))
    if let previous = service.previousSpec {
      object.append("PreviousSpec", try GoJSONEncoder().encode(previous.asReadBack()))
    }
    object.append("Endpoint", try endpoint(service, ingress))
    if let status = service.updateStatus { object.append("UpdateStatus", update(status)) }
    return .object(object)
  }

  /// `{"Spec":{}}` until the allocator has seen the service, and for one that publishes nothing.
  private static func endpoint(_ service: Service, _ ingress: IngressNetwork?) throws -> JSONValue {
    var object = JSONObject()
    guard let given = service.endpoint, !given.ports.isEmpty else { return ["Spec": [:]] }
    object.append("Spec", try GoJSONEncoder().encode(given.spec))
    object.append("Ports", .array(given.ports.map(ObjectJSON.port)))
    if let address = given.virtualIP, let network = ingress {
      object.append("VirtualIPs", [["NetworkID": .string(network.id), "Addr": .string("\(address)/\(network.subnet.prefix)")]])
    }
    return .object(object)
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

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listServices(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filters = try Filters(call.query["filters"], allowed: ["id", "name", "label", "mode", "runtime"])
    let withStatus = call.version >= APIVersion(1, 41) ? try call.strictFlag("status", withReason: true) : false
    let store = await swarm.store.read { $0 }
    return .json(text: try ServiceList(of: store, ready: readyServices).json(filters, withStatus: withStatus))
  }

  func inspectService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let insertDefaults = try call.strictFlag("insertDefaults", withReason: true)
    let store = await swarm.store.read { $0 }
    let service = try store.lookUpService(call.id)
    if !insertDefaults, let json = try ServiceList(of: store, ready: readyServices).json(service.id) { return .json(text: json) }
    let ingress = store.cluster.map { IngressNetwork(of: $0) }
    return .json(
      try ServiceJSON.value(service, ingress: ingress, networks: store.networks, insertDefaults: insertDefaults))
  }

  func createService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    var generator = SystemRandomNumberGenerator()
    let id = Identifier.make(using: &generator)
    var spec = try await serviceSpec(try call.json(), call, swarm)
    spec.taskTemplate.registryAuth = try call.registryAuth(ofService: id, sealer: swarm.sealer)
    let time = now()
    try await swarm.store.transaction { [spec] transaction in
      var generator = SystemRandomNumberGenerator()
      try ServiceResource.create(spec, id: id, now: time, generator: &generator, in: &transaction)
    }
    return .json(["ID": .string(id), "Warnings": .null], status: 201)
  }

  func updateService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let body = try call.json()
    let version = try call.objectVersion(of: "service")
    var spec = try await serviceSpec(body, call, swarm)
    try spec.checkConversion()
    let id = try await swarm.store.read { try $0.lookUpService(call.id).id }
    let options = try Self.updateOptions(call)
    spec.taskTemplate.registryAuth = try call.registryAuth(ofService: id, sealer: swarm.sealer)
    let time = now()
    try await swarm.store.transaction { [spec] transaction in
      try ServiceResource.update(id, to: spec, version: version, options, now: time, in: &transaction)
    }
    return .json(["Warnings": .null])
  }

  /// The service is gone at once and its name is free; the control loops stop its tasks.
  func removeService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let id = try await swarm.store.read { try $0.lookUpService(call.id).id }
    try await swarm.store.transaction { $0.removeService(id) }
    return Response()
  }

  private func serviceSpec(_ body: JSONValue, _ call: Call, _ swarm: ActiveSwarm) async throws -> ServiceSpec {
    try await resolvingNetworks(try ServiceSpec(body: body, version: call.version), swarm)
  }

  private static func updateOptions(_ call: Call) throws -> ServiceResource.Update {
    let source = call.query["registryAuthFrom"] ?? ""
    guard ["", "spec", "previous-spec"].contains(source) else {
      throw APIError.badRequest("invalid registryAuthFrom '\(source)'")
    }
    let rollback = call.query["rollback"] ?? ""
    guard ["", "none", "previous"].contains(rollback) else {
      throw APIError(status: 500, "unrecognized rollback option \(rollback)")
    }
    return .init(keepsPreviousAuth: source == "previous-spec", isRollback: rollback == "previous")
  }
}

enum ServiceFilter {
  static func matches(_ service: Service, _ filters: Filters) -> Bool {
    filters.matchesPrefix("id", service.id) && filters.matchesPrefix("name", service.name)
      && filters.matchesLabels("label", service.spec.labels) && filters.matchesExactly("mode", mode(service))
      && filters.matchesExactly("runtime", "container")
  }

  private static func mode(_ service: Service) -> String {
    let mode = service.spec.mode
    if mode.replicatedJob != nil { return "replicated-job" }
    if mode.globalJob != nil { return "global-job" }
    return service.isGlobal ? "global" : "replicated"
  }
}

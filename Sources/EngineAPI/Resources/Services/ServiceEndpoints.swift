// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

extension SwarmAPI {
  func listServices(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filters = try Filters(call.query["filters"], allowed: ["id", "name", "label", "mode", "runtime"])
    let withStatus = call.version >= APIVersion(1, 41) && call.query.flag("status")
    let store = await swarm.store.read { $0 }
    return .json(text: try ServiceList(of: store, ready: readyServices).json(filters, withStatus: withStatus))
  }

  func inspectService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let insertDefaults = try call.strictFlag("insertDefaults")
    let store = await swarm.store.read { $0 }
    let service = try store.lookUpService(call.id)
    if !insertDefaults, let json = try ServiceList(of: store, ready: readyServices).json(service.id) { return .json(text: json) }
    let ingress = store.cluster.map { IngressNetwork(of: $0) }
    return .json(try ServiceJSON.value(service, ingress: ingress, insertDefaults: insertDefaults))
  }

  func createService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let spec = try await serviceSpec(call)
    let time = now()
    let id = try await swarm.store.transaction { transaction in
      var generator = SystemRandomNumberGenerator()
      return try ServiceResource.create(spec, now: time, generator: &generator, in: &transaction)
    }
    return .json(["ID": .string(id), "Warnings": warnings(call)], status: 201)
  }

  func updateService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let body = try call.json()
    let version = try call.objectVersion(of: "service")
    let options = try Self.updateOptions(call)
    let id = try await swarm.store.read { try $0.lookUpService(call.id).id }
    let spec = try await resolvingNetworks(try ServiceSpec(body: body, version: call.version))
    let time = now()
    try await swarm.store.transaction { transaction in
      try ServiceResource.update(id, to: spec, version: version, options, now: time, in: &transaction)
    }
    return .json(["Warnings": warnings(call)])
  }

  /// The service is gone at once and its name is free; the control loops stop its tasks.
  func removeService(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let id = try await swarm.store.read { try $0.lookUpService(call.id).id }
    try await swarm.store.transaction { $0.removeService(id) }
    return Response()
  }

  private func serviceSpec(_ call: Call) async throws -> ServiceSpec {
    try await resolvingNetworks(try ServiceSpec(body: try call.json(), version: call.version))
  }

  private func warnings(_ call: Call) -> JSONValue {
    RegistryAuth.hasCredentials(call.request.headers["X-Registry-Auth"]) ? [.string(RegistryAuth.warning)] : .null
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
    // New credentials in the header make the old ones unneeded.
    let hasHeader = call.request.headers["X-Registry-Auth"]?.isEmpty == false
    return .init(needsPrevious: source == "previous-spec" && !hasHeader, isRollback: rollback == "previous")
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

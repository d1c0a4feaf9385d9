// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

extension FakeEngine {
  /// Every engine has them; their driver is the name, or `null`.
  static let predefined = ["bridge", "host", "none"]
  private static let filterKeys: Set = ["id", "name", "driver", "scope", "type", "label", "dangling"]

  package func networks(filters: [String: [String]], version: String?) async throws -> [Inspected<EngineNetwork>] {
    try await asked()
    if let key = filters.keys.sorted().first(where: { !Self.filterKeys.contains($0) }) {
      throw EngineError(.badRequest, status: 400, "invalid filter '\(key)'")
    }
    if let bad = filters["type"]?.first(where: { !["custom", "builtin"].contains($0) }) {
      throw EngineError(.badRequest, status: 400, "invalid filter: 'type'='\(bad)'")
    }
    return try (networks.keys.sorted() + Self.predefined).filter { matches($0, filters) }.map {
      var network = try inspected(network: $0)
      if spoken(version) >= 48 { network.raw["EnableIPv4"] = true }
      return network
    }
  }

  package func network(_ id: String) async throws -> Inspected<EngineNetwork> {
    try await asked()
    return try inspected(network: id)
  }

  private func inspected(network name: String) throws -> Inspected<EngineNetwork> {
    let own: JSONValue? = Self.predefined.contains(name) ? ["Name": .string(name)] : .none
    guard var json = networks[name] ?? own else {
      throw EngineError(.notFound, status: 404, "network \(name) not found")
    }
    var members = JSONObject()
    for container in containers.values where isMember(container, of: name) {
      members[container.id] = ["Name": .string(container.name), "IPv4Address": .string(container.fixedAddress ?? "")]
    }
    json["Containers"] = .object(members)
    json["Id"] = .string(name)
    json["Scope"] = "local"
    json["Driver"] = .string(driver(of: name))
    return Inspected(try GoJSONDecoder().decode(EngineNetwork.self, from: json), raw: json)
  }

  private func isMember(_ container: FakeContainer, of network: String) -> Bool {
    container.isRunning && (container.networkMode == network || connections[network]?.contains(container.id) == true)
  }

  package func createNetwork(_ config: JSONValue) async throws -> String {
    let name = config["Name"]?.stringValue ?? ""
    try await called("create network \(name)")
    try checkNetwork(name, config)
    networks[name] = config
    try await answered()
    return name
  }

  package func removeNetwork(_ id: String) async throws {
    try await called("remove network \(id)")
    if Self.predefined.contains(id) {
      throw EngineError(.unauthorized, status: 403, "\(id) is a pre-defined network and cannot be removed")
    }
    guard networks[id] != nil else { throw EngineError(.notFound, status: 404, "network \(id) not found") }
    guard !containers.values.contains(where: { isMember($0, of: id) }) else {
      throw EngineError(.unauthorized, status: 403, "error while removing network: network \(id) has active endpoints")
    }
    networks[id] = nil
    connections[id] = nil
    try await answered()
  }

  package func pruneNetworks(filters: String) async throws -> JSONValue {
    try await called("prune networks \(filters)")
    return ["NetworksDeleted": nil]
  }

  package func connectNetwork(_ id: String, container: String, endpoint: JSONValue) async throws {
    try await called("connect \(id)")
    try BodySchema.endpoint.check(endpoint, minor: minor)
    _ = try inspected(network: id)
    let found = try find(container)
    guard found.networkMode != id, connections[id, default: []].insert(found.id).inserted else {
      let text = "endpoint with name \(found.name) already exists in network \(id)"
      throw EngineError(.unauthorized, status: 403, text)
    }
    try await answered()
  }

  package func disconnectNetwork(_ id: String, container: String, force: Bool) async throws {
    try await called("disconnect \(id)")
    _ = try inspected(network: id)
    let found = try find(container)
    guard connections[id]?.remove(found.id) != nil else {
      throw EngineError(.serverError, status: 500, "container \(found.id) is not connected to network \(id)")
    }
    try await answered()
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

extension FakeEngine: Engine {
  package func apiVersion() async throws -> String {
    try await asked()
    return "1.41"
  }

  package func version() async throws -> EngineVersion {
    try await asked()
    return try GoJSONDecoder().decode(EngineVersion.self, from: ["Version": "20.10.24", "ApiVersion": "1.41"])
  }

  package func info() async throws -> Inspected<EngineInfo> {
    try await asked()
    let json: JSONValue = [
      "ID": "FAKE", "Name": "host-1", "NCPU": 2, "MemTotal": 4_000_000_000, "Architecture": "x86_64", "OSType": "linux",
      "ServerVersion": "20.10.24", "Labels": ["zone=a", "bare"],
      "Plugins": ["Volume": ["local"], "Network": ["null", "bridge", "host"], "Log": ["json-file"], "Authorization": nil],
      "GenericResources": genericResources,
    ]
    return Inspected(try GoJSONDecoder().decode(EngineInfo.self, from: json), raw: json)
  }

  package func image(_ reference: String) async throws -> Inspected<EngineImage> {
    try await asked()
    guard images.contains(reference) else { throw EngineError(.notFound, status: 404, "No such image: \(reference)") }
    let json: JSONValue = ["Id": .string("sha256:\(reference)"), "RepoTags": [.string(reference)]]
    return Inspected(try GoJSONDecoder().decode(EngineImage.self, from: json), raw: json)
  }

  package func pullImage(_ reference: String, registryAuth: String?) async throws {
    try await called("pull \(reference)")
    if pullsHang { try await forever() }
    guard registry.contains(reference) else {
      throw EngineError(.serverError, status: 500, "Get \"https://registry.example/v2/\": dial tcp: connection refused")
    }
    guard credentials[reference] == nil || credentials[reference] == registryAuth else {
      throw EngineError(.serverError, status: 500, "Head \"https://registry.example/v2/\": no basic auth credentials")
    }
    images.insert(reference)
    try await answered()
  }

  package func networks(filters: [String: [String]]) async throws -> [Inspected<EngineNetwork>] {
    try await asked()
    return try networks.keys.sorted().map { try inspected(network: $0) }
  }

  package func network(_ id: String) async throws -> Inspected<EngineNetwork> {
    try await asked()
    return try inspected(network: id)
  }

  private func inspected(network name: String) throws -> Inspected<EngineNetwork> {
    guard var json = networks[name] else { throw EngineError(.notFound, status: 404, "network \(name) not found") }
    var members = JSONObject()
    for container in containers.values where container.isRunning && container.networkMode == name {
      members[container.id] = ["Name": .string(container.name), "IPv4Address": .string(container.fixedAddress ?? "")]
    }
    json["Containers"] = .object(members)
    json["Id"] = .string(name)
    return Inspected(try GoJSONDecoder().decode(EngineNetwork.self, from: json), raw: json)
  }

  package func createNetwork(_ config: JSONValue) async throws -> String {
    let name = config["Name"]?.stringValue ?? ""
    try await called("create network \(name)")
    guard networks[name] == nil else { throw EngineError(.conflict, status: 409, "network with name \(name) already exists") }
    networks[name] = config
    try await answered()
    return name
  }

  package func removeNetwork(_ id: String) async throws {
    try await called("remove network \(id)")
    guard networks[id] != nil else { throw EngineError(.notFound, status: 404, "network \(id) not found") }
    guard !containers.values.contains(where: { $0.isRunning && $0.networkMode == id }) else {
      throw EngineError(.unauthorized, status: 403, "error while removing network: network \(id) has active endpoints")
    }
    networks[id] = nil
    try await answered()
  }

  package func connectNetwork(_ id: String, container: String, endpoint: JSONValue) async throws {
    try await called("connect \(id)")
    _ = (try inspected(network: id), try find(container))
    try await answered()
  }

  package func disconnectNetwork(_ id: String, container: String, force: Bool) async throws {
    try await called("disconnect \(id)")
    _ = (try inspected(network: id), try find(container))
    try await answered()
  }

  package func createVolume(_ config: JSONValue) async throws -> EngineVolume {
    try await called("create volume \(config["Name"]?.stringValue ?? "")")
    try await answered()
    return try GoJSONDecoder().decode(EngineVolume.self, from: config)
  }
}

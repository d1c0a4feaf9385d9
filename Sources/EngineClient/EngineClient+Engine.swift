// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import HTTPWire
import NIOCore

extension EngineClient: Engine {
  package func version(version: String?) async throws -> Inspected<EngineVersion> {
    var request = usual("GET", "/version")
    request.version = version
    return try await inspect(request)
  }

  package func info(version: String?) async throws -> Inspected<EngineInfo> {
    var request = usual("GET", "/info")
    request.version = version
    return try await inspect(request)
  }

  // MARK: images

  package func image(_ reference: String) async throws -> Inspected<EngineImage> {
    try await inspect(usual("GET", "/images/\(Self.path(reference))/json"))
  }

  package func pullImage(_ reference: String, registryAuth: String?) async throws {
    var request = EngineRequest("POST", "/images/create", query: [("fromImage", Self.tagged(reference))], timeout: timeouts.pull)
    request.headers["X-Registry-Auth"] = registryAuth
    let stream = try await stream(request)
    let progress = JSONLines(stream: stream)
    for try await step in progress {
      guard let text = step["error"]?.stringValue else { continue }
      throw EngineError(.failed, status: stream.status, text)
    }
  }

  /// Without a tag the engine would fetch every one of the repository's.
  static func tagged(_ reference: String) -> String {
    let last = reference.split(separator: "/").last ?? ""
    return last.contains(":") || last.contains("@") ? reference : reference + ":latest"
  }

  // MARK: networks and volumes

  package func networks(filters: [String: [String]], version: String?) async throws -> [Inspected<EngineNetwork>] {
    var request = usual("GET", "/networks", query: Self.query(filters))
    request.version = version
    let list = try await json(request).arrayValue ?? []
    return try list.map(Self.inspected)
  }

  package func network(_ id: String) async throws -> Inspected<EngineNetwork> {
    try await inspect(usual("GET", "/networks/\(Self.path(id))"))
  }

  package func createNetwork(_ config: JSONValue) async throws -> String {
    let answer = try await json(slow("POST", "/networks/create", json: config))
    guard let id = answer["Id"]?.stringValue else { throw EngineError(.malformed, "the engine created a network without an id") }
    return id
  }

  package func removeNetwork(_ id: String) async throws {
    _ = try await success(slow("DELETE", "/networks/\(Self.path(id))"))
  }

  package func pruneNetworks(filters: String) async throws -> JSONValue {
    try await json(slow("POST", "/networks/prune", query: [("filters", filters)]))
  }

  package func connectNetwork(_ id: String, container: String, endpoint: JSONValue) async throws {
    let body: JSONValue = ["Container": .string(container), "EndpointConfig": endpoint]
    _ = try await success(slow("POST", "/networks/\(Self.path(id))/connect", json: body))
  }

  package func disconnectNetwork(_ id: String, container: String, force: Bool) async throws {
    let body: JSONValue = ["Container": .string(container), "Force": .bool(force)]
    _ = try await success(slow("POST", "/networks/\(Self.path(id))/disconnect", json: body))
  }

  package func createVolume(_ config: JSONValue) async throws -> EngineVolume {
    try await decode(EngineVolume.self, slow("POST", "/volumes/create", json: config))
  }

  // MARK: shared

  func usual(_ method: String, _ path: String, query: [(name: String, value: String)] = []) -> EngineRequest {
    EngineRequest(method, path, query: query, timeout: timeouts.usual)
  }

  func slow(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [], json: JSONValue? = nil
  ) -> EngineRequest {
    var request = EngineRequest(method, path, query: query, timeout: timeouts.slow)
    if let json { request.set(json: json) }
    return request
  }

  func inspect<Value>(_ request: EngineRequest) async throws -> Inspected<Value> {
    try Self.inspected(try await json(request))
  }

  static func inspected<Value>(_ json: JSONValue) throws -> Inspected<Value> {
    Inspected(try decode(Value.self, json), raw: json)
  }

  static func query(_ filters: [String: [String]]) -> [(name: String, value: String)] {
    if filters.isEmpty { return [] }
    var object = JSONObject()
    for (key, values) in filters.sorted(by: { $0.key < $1.key }) { object.append(key, JSONValue(values)) }
    return [("filters", JSONValue.object(object).text)]
  }

  /// Image references keep their slashes; everything else that could end the path is escaped.
  static func path(_ text: String) -> String {
    text.split(separator: "/", omittingEmptySubsequences: false).map { EngineRequest.escaped(String($0)) }.joined(separator: "/")
  }
}

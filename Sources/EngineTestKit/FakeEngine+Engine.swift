// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

extension FakeEngine: Engine {
  package func greeting() async throws -> EngineGreeting {
    try await asked()
    return EngineGreeting(
      apiVersion: minor > 50 ? "1.50" : apiVersion, isExperimental: isExperimental, builderVersion: minor < 42 ? "" : "2")
  }

  package func version(version: String?) async throws -> Inspected<EngineVersion> {
    try await asked()
    let versions: JSONValue = ["Version": .string(engineVersion), "ApiVersion": .string(apiVersion), "MinAPIVersion": "1.24"]
    var json = versions
    json["Components"] = [["Name": "Engine", "Version": .string(engineVersion), "Details": versions]]
    return try Inspected(json: json)
  }

  package func info(version: String?) async throws -> Inspected<EngineInfo> {
    try await asked()
    var json: JSONValue = [
      "ID": "FAKE", "Name": "host-1", "NCPU": JSONValue(Self.cpus), "MemTotal": 4_000_000_000, "Architecture": "x86_64",
      "OSType": "linux", "ServerVersion": .string(engineVersion), "Labels": ["zone=a", "bare"],
      "Plugins": ["Volume": ["local"], "Network": ["null", "bridge", "host"], "Log": ["json-file"], "Authorization": nil],
      "GenericResources": genericResources, "RuncCommit": ["ID": "abc"],
    ]
    addFields(of: spoken(version), to: &json)
    return Inspected(try GoJSONDecoder().decode(EngineInfo.self, from: json), raw: json)
  }

  /// What came to `/info` with an API version, and what went with one and is still told to older clients.
  private func addFields(of asked: Int, to info: inout JSONValue) {
    if asked < 49 { info["RuncCommit"] = ["ID": "abc", "Expected": "abc"] }
    if asked < 50 { info["BridgeNfIptables"] = true }
    if asked >= 46, minor >= 46 { info["Containerd"] = ["Address": "/run/containerd/containerd.sock"] }
    if asked >= 49, minor >= 49 { info["FirewallBackend"] = ["Driver": "iptables"] }
    if asked >= 50, minor >= 50 { info["DiscoveredDevices"] = [] }
  }

  package func image(_ reference: String) async throws -> Inspected<EngineImage> {
    try await asked()
    guard images.contains(reference) else { throw EngineError(.notFound, status: 404, "No such image: \(reference)") }
    let json: JSONValue = ["Id": .string("sha256:\(reference)"), "RepoTags": [.string(reference)]]
    return Inspected(try GoJSONDecoder().decode(EngineImage.self, from: json), raw: json)
  }

  package func pullImage(_ reference: String, registryAuth: String?) async throws {
    try await called("pull \(reference)")
    guard ImageReference.isValid(reference) else { throw EngineError(.badRequest, status: 400, "invalid reference format") }
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

  package func createVolume(_ config: JSONValue) async throws -> EngineVolume {
    let name = config["Name"]?.stringValue ?? ""
    try await called("create volume \(name)")
    try BodySchema.volume.check(config, minor: minor)
    guard name.isEmpty || ContainerRules.isName(name) else {
      let text =
        "\(name.goQuoted) includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed"
      throw EngineError(.badRequest, status: 400, text)
    }
    if let other = volumes[name], other["Driver"]?.stringValue ?? "local" != config["Driver"]?.stringValue ?? "local" {
      throw EngineError(.conflict, status: 409, "volume with name \(name) already exists with another driver")
    }
    volumes[name] = config
    try await answered()
    return try GoJSONDecoder().decode(EngineVolume.self, from: config)
  }
}

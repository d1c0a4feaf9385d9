// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineTestKit
import HTTPWire
import Testing

@testable import EngineAPI

@Suite("Versions of the API")
struct VersionTests {
  static let minors = Array(41...50)
  /// A bare `nil` would be JSON's null.
  static let absent = JSONValue?.none

  @Test("every answer announces what the engine beside it speaks, and a ping what it says of itself", arguments: minors)
  func announced(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.\(minor)", isExperimental: minor == 45))
    let announcement = await rig.api.announcement
    #expect(announcement.apiVersion == "1.\(minor)" && announcement.isExperimental == (minor == 45))
    for method in ["GET", "HEAD"] {
      let response = try await rig.api.respond(to: try SwarmRig.request(method, "/v1.\(minor)/_ping"))
      #expect(response.headers["Api-Version"] == "1.\(minor)" && response.headers["Swarm"] == "active/manager")
      #expect(response.headers["Docker-Experimental"] == "\(minor == 45)")
      #expect(response.headers["Builder-Version"] == (minor < 42 ? nil : "2"))
      guard case .bytes(let body) = response.body else { continue }
      #expect(body == (method == "HEAD" ? [] : Array("OK".utf8)))
    }
  }

  @Test("the engine's part of /info is that of the client's version", arguments: minors)
  func info(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.\(minor)"))
    for asked in 24...minor {
      let info = try JSONValue(parsing: try await rig.call("GET", "/v1.\(asked)/info").text)
      #expect((info["BridgeNfIptables"] != nil) == (asked < 50))
      #expect((info["RuncCommit"]?["Expected"] != nil) == (asked < 49))
      #expect((info["Containerd"] != nil) == (asked >= 46))
      #expect((info["FirewallBackend"] != nil) == (asked >= 49))
      #expect((info["DiscoveredDevices"] != nil) == (asked >= 50))
      #expect(info["Swarm"]?["LocalNodeState"] == "active")
    }
    let newest = try JSONValue(parsing: try await rig.call("GET", "/info").text)
    #expect((newest["BridgeNfIptables"] != nil) == (minor < 50))
  }

  @Test("no newer version is told than is served", arguments: ["1.41", "1.50", "1.51", "1.60"])
  func version(engines: String) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: engines))
    let told = engines > "1.50" ? "1.50" : engines
    let version = try JSONValue(parsing: try await rig.call("GET", "/version").text)
    #expect(version["ApiVersion"] == .string(told) && version["MinAPIVersion"] == "1.24")
    #expect(version["Components"]?.arrayValue?.first?["Details"]?["ApiVersion"] == .string(told))
    let skep: JSONValue = [
      "Name": "Skep", "Version": .string(Release.version), "Details": ["ApiVersion": "1.50", "MinAPIVersion": "1.24"],
    ]
    #expect(version["Components"]?.arrayValue?.last == skep)
    #expect(await rig.api.announcement.apiVersion == told)
    await rig.engine.goAway()
    #expect(try await rig.call("GET", "/version").status == 503)
  }

  @Test("a list of networks is in the client's version, with the swarm's own network in it", arguments: minors)
  func networks(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.50"))
    let list = try #require(try JSONValue(parsing: try await rig.call("GET", "/v1.\(minor)/networks").text).arrayValue)
    #expect(list.map { $0["Name"]?.stringValue } == ["ingress", "bridge", "host", "none"])
    #expect(list.first?["EnableIPv4"] == true)
    #expect(list.dropFirst().allSatisfy { ($0["EnableIPv4"] != nil) == (minor >= 48) })
  }

  /// Every field that came to services after 1.38, where it stands, and the version that brought it.
  static let fields: [(path: String, minor: Int, value: JSONValue)] = [
    ("ContainerSpec.Sysctls", 40, ["a": "b"]), ("Placement.MaxReplicas", 40, 2),
    ("ContainerSpec.CapabilityAdd", 41, ["CAP_A"]), ("ContainerSpec.CapabilityDrop", 41, ["CAP_B"]),
    ("ContainerSpec.Ulimits", 41, [["Name": "nofile", "Hard": 2, "Soft": 1]]), ("Resources.Limits.Pids", 41, 5),
    ("ContainerSpec.Privileges.Seccomp", 44, ["Mode": "unconfined"]),
    ("ContainerSpec.Privileges.AppArmor", 44, ["Mode": "disabled"]),
    ("ContainerSpec.Healthcheck.StartInterval", 44, 5_000_000), ("ContainerSpec.OomScoreAdj", 46, 7),
    ("Resources.SwapBytes", 52, 5), ("Resources.MemorySwappiness", 52, 5),
  ]

  @Test("a field is kept from its version on and dropped before, at a create and at an update", arguments: fields)
  func field(path: String, minor: Int, value: JSONValue) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.50"))
    let steps = path.split(separator: ".").map(String.init)
    var template: JSONValue = ["ContainerSpec": ["Image": "web:1", "Healthcheck": ["Test": ["NONE"]]]]
    template.set(value, at: steps[...])
    for asked in [38, minor - 1, minor, 50] where asked <= 50 {
      let body: JSONValue = ["Name": .string("s\(asked)"), "TaskTemplate": template]
      let created = try await rig.call("POST", "/v1.\(asked)/services/create", body.text)
      #expect(created.status == 201 || created.status == 409, "\(created.text)")
      #expect(try await rig.field(steps, ofService: "s\(asked)") == (asked < minor ? Self.absent : value))
      let version = try await rig.version(named: "s\(asked)")
      let updated = try await rig.call("POST", "/v1.\(asked)/services/s\(asked)/update?version=\(version)", body.text)
      #expect(updated.status == 200, "\(updated.text)")
      #expect(try await rig.field(steps, ofService: "s\(asked)") == (asked < minor ? Self.absent : value))
    }
  }

  @Test("options of mounts are dropped before their version", arguments: minors)
  func mounts(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.50"))
    let mounts: JSONValue = [
      ["Type": "bind", "Source": "/a", "Target": "/a", "BindOptions": ["NonRecursive": true]],
      ["Type": "tmpfs", "Target": "/b", "TmpfsOptions": ["SizeBytes": 5, "Options": [["noexec"]]]],
      ["Type": "volume", "Target": "/c", "VolumeOptions": ["Subpath": "x"]],
    ]
    let body: JSONValue = ["Name": "web", "TaskTemplate": ["ContainerSpec": ["Image": "web:1", "Mounts": mounts]]]
    #expect(try await rig.call("POST", "/v1.\(minor)/services/create", body.text).status == 201)
    let kept = try #require(try await rig.field(["ContainerSpec", "Mounts"], ofService: "web")?.arrayValue)
    #expect(kept[0]["BindOptions"] == ["Propagation": "rprivate", "NonRecursive": true])
    #expect(kept[1]["TmpfsOptions"]?["Options"] == (minor < 46 ? Self.absent : [["noexec"]]))
    #expect(kept[2]["VolumeOptions"] == ["Subpath": "x"])
  }

  @Test("networks beside the task's own are a service's until 1.43", arguments: minors)
  func topLevelNetworks(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.50"))
    let body = #"{"Name":"web","Networks":[{"Target":"host"}],"TaskTemplate":{"ContainerSpec":{"Image":"web:1"}}}"#
    #expect(try await rig.call("POST", "/v1.\(minor)/services/create", body).status == 201)
    #expect(try await rig.field(["Networks"], ofService: "web") == (minor < 44 ? [["Target": "host"]] : Self.absent))
  }

  @Test("an answer has the shape that the version gives it", arguments: minors)
  func answers(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.\(minor)"))
    let prefix = "/v1.\(minor)"
    let body = #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"web:1"}}}"#
    let created = try JSONValue(parsing: try await rig.call("POST", prefix + "/services/create", body).text)
    #expect(created["Warnings"] == .null && created["ID"]?.stringValue?.utf8.count == 25)
    try await rig.store.transaction { transaction in
      let service = try #require(transaction.service(named: "web"))
      transaction.put(Fixture.task("t1", of: service))
    }
    let listed = try JSONValue(parsing: try await rig.call("GET", prefix + "/services?status=1").text)
    #expect(listed.arrayValue?.first?["ServiceStatus"] == ["RunningTasks": 1, "DesiredTasks": 1, "CompletedTasks": 0])
    #expect(try JSONValue(parsing: try await rig.call("GET", prefix + "/tasks/t1").text)["Volumes"] == .null)
    #expect(try await rig.call("GET", prefix + "/nodes/n1").status == 200)
    #expect(try await rig.call("GET", prefix + "/swarm").status == 200)
    let logs = try await rig.api.respond(to: try SwarmRig.request("GET", prefix + "/services/web/logs?stdout=1"))
    let type = minor < 42 ? "application/vnd.docker.raw-stream" : "application/vnd.docker.multiplexed-stream"
    #expect(logs.headers["Content-Type"] == type)
    let version = try await rig.version(named: "web")
    let updated = try await rig.call("POST", prefix + "/services/web/update?version=\(version)", body)
    #expect(updated == (200, #"{"Warnings":null}"#))
  }

  @Test("cluster volumes are refused from the version that knows them", arguments: minors)
  func clusterVolumes(minor: Int) async throws {
    let rig = try await SwarmRig(engine: FakeEngine(apiVersion: "1.\(minor)"))
    let path = "/v1.\(minor)/volumes/create"
    let body = #"{"Name":"v","ClusterVolumeSpec":{"Group":"g"}}"#
    let refusal = "rpc error: code = InvalidArgument desc = cluster volumes (CSI) are not supported by this release of Skep"
    #expect(try await rig.call("POST", path, body) == (minor < 42 ? (0, path + body) : (400, refusal)))
    for plain in [#"{"Name":"v"}"#, #"{"ClusterVolumeSpec":null}"#, "{"] {
      #expect(try await rig.call("POST", path, plain) == (0, path + plain))
    }
    #expect(try await SwarmRig(active: false).call("POST", path, body) == (0, path + body))
  }
}

extension SwarmRig {
  func field(_ path: [String], ofService name: String) async throws -> JSONValue? {
    let service = try JSONValue(parsing: try await call("GET", "/services/\(name)").text)
    return path.reduce(service["Spec"]?["TaskTemplate"]) { $0?[$1] }
  }

  func version(named name: String) async throws -> UInt64 {
    try #require(await store.read { $0.service(named: name)?.version })
  }
}

extension JSONValue {
  fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) {
    guard let first = path.first else {
      self = value
      return
    }
    var inner = self[first] ?? [:]
    inner.set(value, at: path.dropFirst())
    self[first] = inner
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Testing

/// One call that an engine refuses, in a world that `prepare` made.
struct IllegalCall: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var status: Int
  var text: String
  var call: @Sendable (FakeEngine) async throws -> Void

  init(_ what: String, _ status: Int, _ text: String, _ call: @escaping @Sendable (FakeEngine) async throws -> Void) {
    (testDescription, self.status, self.text, self.call) = (what, status, text, call)
  }

  static func create(_ what: String, _ text: String, _ body: JSONValue, name: String = "b1") -> IllegalCall {
    IllegalCall(what, 400, text) { _ = try await $0.createContainer(name: name, config: body) }
  }

  static func host(_ what: String, _ text: String, _ members: JSONValue) -> IllegalCall {
    create(what, text, ["Image": "web:1", "HostConfig": members])
  }
}

@Suite("The fake engine refuses")
struct IllegalCallTests {
  /// A running container `a`, a network `net` and a volume `data`.
  static func engine(_ apiVersion: String = "1.50") async throws -> FakeEngine {
    let engine = FakeEngine(apiVersion: apiVersion)
    let id = try await engine.createContainer(name: "a1", config: ["Image": "web:1"]).id
    try await engine.startContainer(id)
    _ = try await engine.createNetwork(["Name": "net", "IPAM": ["Config": [["Subnet": "10.3.0.0/24"]]]])
    _ = try await engine.createVolume(["Name": "data", "Driver": "local"])
    return engine
  }

  static let orders: [IllegalCall] = [
    IllegalCall("a start of nothing", 404, "No such container: x") { try await $0.startContainer("x") },
    IllegalCall("a stop of nothing", 404, "No such container: x") { try await $0.stopContainer("x", timeout: 1) },
    IllegalCall("a kill of nothing", 404, "No such container: x") { try await $0.killContainer("x", signal: "KILL") },
    IllegalCall("a look at nothing", 404, "No such container: x") { _ = try await $0.container("x") },
    IllegalCall("a wait for nothing", 404, "No such container: x") { _ = try await $0.waitContainer("x") },
    IllegalCall("a log of nothing", 404, "No such container: x") { _ = try await $0.logs("x", LogOptions()) },
    IllegalCall("a log without a stream", 400, "Bad parameters: you must choose at least one stream") {
      var options = LogOptions()
      (options.stdout, options.stderr) = (false, false)
      _ = try await $0.logs("a1", options)
    },
    IllegalCall("a second container of a name", 409, "Conflict. The container name \"/a1\" is already in use by container") {
      _ = try await $0.createContainer(name: "a1", config: ["Image": "web:1"])
    },
    IllegalCall("a removal of what runs", 409, "You cannot remove a running container a1. Stop the container before") {
      try await $0.removeContainer("a1", force: false, volumes: false)
    },
    IllegalCall("a second removal", 404, "No such container: a1") {
      try await $0.removeContainer("a1", force: true, volumes: false)
      try await $0.removeContainer("a1", force: true, volumes: false)
    },
    IllegalCall("a start after the removal", 404, "No such container: a1") {
      try await $0.removeContainer("a1", force: true, volumes: false)
      try await $0.startContainer("a1")
    },
    IllegalCall("a kill of what has ended", 409, "Container a1 is not running") {
      try await $0.stopContainer("a1", timeout: 1)
      try await $0.killContainer("a1", signal: "KILL")
    },
    IllegalCall("an unknown signal", 400, "Invalid signal: SIGX") { try await $0.killContainer("a1", signal: "SIGX") },
    IllegalCall("a start on a network that is gone", 404, "network gone not found") {
      let body: JSONValue = ["Image": "web:1", "HostConfig": ["NetworkMode": "gone"]]
      try await $0.startContainer(try await $0.createContainer(name: "b1", config: body).id)
    },
    IllegalCall("a port that is taken", 500, "Bind for 0.0.0.0:80 failed: port is already allocated") {
      let body: JSONValue = ["Image": "web:1", "HostConfig": ["PortBindings": ["80/tcp": [["HostPort": "80"]]]]]
      for name in ["b1", "b2"] { try await $0.startContainer(try await $0.createContainer(name: name, config: body).id) }
    },
  ]

  static let objects: [IllegalCall] = [
    IllegalCall("a pull of no image's name", 400, "invalid reference format") {
      try await $0.pullImage("A B", registryAuth: nil)
    },
    IllegalCall("an image that is not there", 404, "No such image: x:1") { _ = try await $0.image("x:1") },
    IllegalCall("a network that is not there", 404, "network x not found") { _ = try await $0.network("x") },
    IllegalCall("a second network of a name", 409, "network with name net already exists") {
      _ = try await $0.createNetwork(["Name": "net"])
    },
    IllegalCall("a network without a name", 400, "invalid network name") { _ = try await $0.createNetwork(["Driver": "bridge"]) },
    IllegalCall("a network of the engine's own", 403, "operation is not permitted on predefined bridge network ") {
      _ = try await $0.createNetwork(["Name": "bridge"])
    },
    IllegalCall("a subnet that is none", 400, "invalid subnet x") {
      _ = try await $0.createNetwork(["Name": "n", "IPAM": ["Config": [["Subnet": "x"]]]])
    },
    IllegalCall("a subnet that is taken", 403, "Pool overlaps with other one on this address space") {
      _ = try await $0.createNetwork(["Name": "n", "IPAM": ["Config": [["Subnet": "10.3.0.128/25"]]]])
    },
    IllegalCall("the removal of a predefined network", 403, "host is a pre-defined network and cannot be removed") {
      try await $0.removeNetwork("host")
    },
    IllegalCall("the removal of a network in use", 403, "error while removing network: network net has active endpoints") {
      try await $0.connectNetwork("net", container: "a1", endpoint: [:])
      try await $0.removeNetwork("net")
    },
    IllegalCall("a second connection", 403, "endpoint with name a1 already exists in network net") {
      for _ in 0..<2 { try await $0.connectNetwork("net", container: "a1", endpoint: [:]) }
    },
    IllegalCall("the end of no connection", 500, "is not connected to network net") {
      try await $0.disconnectNetwork("net", container: "a1", force: true)
    },
    IllegalCall("an address outside the network", 400, "no configured subnet contains IP address 10.4.0.2") {
      try await $0.startContainer(try await $0.createContainer(name: "b1", config: address("10.4.0.2", on: "net")).id)
    },
    IllegalCall("the bridge's own address", 403, "Address already in use") {
      try await $0.startContainer(try await $0.createContainer(name: "b1", config: address("10.3.0.1", on: "net")).id)
    },
    IllegalCall("an address on the default network", 400, "user specified IP address is supported only when connecting") {
      try await $0.startContainer(try await $0.createContainer(name: "b1", config: address("10.3.0.2", on: "bridge")).id)
    },
    IllegalCall("an unknown filter", 400, "invalid filter 'x'") { _ = try await $0.networks(filters: ["x": ["y"]]) },
    IllegalCall("a type of network that is none", 400, "invalid filter: 'type'='x'") {
      _ = try await $0.networks(filters: ["type": ["x"]])
    },
    IllegalCall("a bad name of a volume", 400, "includes invalid characters for a local volume name") {
      _ = try await $0.createVolume(["Name": "a b"])
    },
    IllegalCall("a volume of another driver", 409, "volume with name data already exists") {
      _ = try await $0.createVolume(["Name": "data", "Driver": "nfs"])
    },
  ]

  static func address(_ address: String, on network: String) -> JSONValue {
    var endpoints: JSONValue = [:]
    endpoints[network] = ["IPAMConfig": ["IPv4Address": .string(address)]]
    return [
      "Image": "web:1", "HostConfig": ["NetworkMode": .string(network)], "NetworkingConfig": ["EndpointsConfig": endpoints],
    ]
  }

  static let bodies: [IllegalCall] = [
    .create("a text for a body", "the body is of the wrong type", "x"),
    .create("a list for a body", "the body is of the wrong", []),
    .create("an empty body", "config cannot be empty", [:]),
    .create("a number for an image", "Image is of the wrong type", ["Image": 1]),
    .create("a text for a list", "Cmd is of the wrong type", ["Image": "web:1", "Cmd": "x"]),
    .create("a number in a list of texts", "Env is of the wrong type", ["Image": "web:1", "Env": [1]]),
    .create("a field that no engine knows", "no engine knows Image2", ["Image": "web:1", "Image2": "x"]),
    .host("a misspelt field within another", "no engine knows HostConfig.NanoCPUs", ["NanoCPUs": 1]),
    .create("a name that is none", "Invalid container name (a b)", ["Image": "web:1"], name: "a b"),
    .create("a variable without a name", "invalid environment variable: =x", ["Image": "web:1", "Env": ["=x"]]),
    .create(
      "a health check too often", "Interval in Healthcheck cannot be less than 1ms",
      ["Image": "web:1", "Healthcheck": ["Interval": 1]]),
    .create("negative retries", "Retries in Healthcheck cannot be negative", ["Image": "web:1", "Healthcheck": ["Retries": -1]]),
    .host("too little memory", "Minimum memory limit allowed is 6MB", ["Memory": 1_000]),
    .host("less swap than memory", "Minimum memoryswap limit", ["Memory": 8_000_000, "MemorySwap": 1]),
    .host("swap alone", "You should always set the Memory limit", ["MemorySwap": 8_000_000]),
    .host("more processors than there are", "range of CPUs is from 0.01 to 2.00", ["NanoCpus": 3_000_000_000]),
    .host("an adjustment out of range", "Invalid value 1001, range for oom score adj", ["OomScoreAdj": 1_001]),
    .host("a port of no protocol", "invalid port specification: \"80\"", ["PortBindings": ["80": []]]),
    .host(
      "a port of the host that is none", "invalid port specification: \"x\"", ["PortBindings": ["80/tcp": [["HostPort": "x"]]]]),
    .host("a mount of no type", "mount type unknown: \"x\"", ["Mounts": [["Type": "x", "Target": "/x"]]]),
    .host("a mount without a target", "field Target must not be empty", ["Mounts": [["Type": "volume"]]]),
    .host("a target that is relative", "mount path must be absolute", ["Mounts": [["Type": "volume", "Target": "x"]]]),
    .host(
      "a source that is relative", "mount path must be absolute", ["Mounts": [["Type": "bind", "Source": "x", "Target": "/x"]]]),
    .host(
      "one target twice", "Duplicate mount point: /x",
      ["Mounts": [["Type": "volume", "Target": "/x"], ["Type": "tmpfs", "Target": "/x"]]]),
    .host(
      "another type's options", "field BindOptions must not be specified",
      ["Mounts": [["Type": "tmpfs", "Target": "/x", "BindOptions": [:]]]]),
    IllegalCall("an endpoint's field that no engine knows", 400, "no engine knows Alias") {
      try await $0.connectNetwork("net", container: "a1", endpoint: ["Alias": "x"])
    },
    IllegalCall("a network's field that no engine knows", 400, "no engine knows IPAM.Subnet") {
      _ = try await $0.createNetwork(["Name": "n", "IPAM": ["Subnet": "10.9.0.0/24"]])
    },
  ]

  @Test("calls out of order", arguments: orders)
  func order(call: IllegalCall) async throws { try await Self.expectRefusal(call) }

  @Test("what is not there, and what is there already", arguments: objects)
  func object(call: IllegalCall) async throws { try await Self.expectRefusal(call) }

  @Test("malformed bodies", arguments: bodies)
  func body(call: IllegalCall) async throws { try await Self.expectRefusal(call) }

  static func expectRefusal(_ call: IllegalCall) async throws {
    let engine = try await engine()
    do {
      try await call.call(engine)
      Issue.record("\(call.testDescription) was allowed")
    } catch let error as EngineError {
      #expect(error.status == call.status)
      #expect(error.message.contains(call.text), "\(error.message)")
    }
  }

  @Test("a refused body makes nothing")
  func nothingHalfDone() async throws {
    let engine = try await Self.engine()
    for call in Self.bodies { try? await call.call(engine) }
    #expect(await engine.containers.count == 1)
    #expect(await engine.networks.count == 1)
  }

  @Test(
    "fields of a later version than the announced, and takes them from that version on",
    arguments: [
      (42, #"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/s","Target":"/t","BindOptions":{"CreateMountpoint":true}}]}}"#),
      (43, #"{"HostConfig":{"Annotations":{"a":"b"}}}"#), (44, #"{"Healthcheck":{"StartInterval":5000000}}"#),
      (
        44,
        #"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/s","Target":"/t","BindOptions":{"ReadOnlyNonRecursive":true}}]}}"#
      ),
      (45, #"{"HostConfig":{"Mounts":[{"Type":"volume","Target":"/t","VolumeOptions":{"Subpath":"a"}}]}}"#),
      (46, #"{"HostConfig":{"Mounts":[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":[["noexec"]]}}]}}"#),
      (48, #"{"NetworkingConfig":{"EndpointsConfig":{"bridge":{"GwPriority":1}}}}"#),
    ])
  func versions(minor: Int, body: String) async throws {
    var config = try JSONValue(parsing: body)
    config["Image"] = "web:1"
    for announced in 41...50 {
      let engine = FakeEngine(apiVersion: "1.\(announced)")
      do {
        _ = try await engine.createContainer(name: "b1", config: config)
        #expect(announced >= minor)
      } catch let error as EngineError {
        #expect(announced < minor && error.status == 400)
        #expect(error.message.hasSuffix("is of API 1.\(minor), and this engine speaks 1.\(announced)"))
      }
    }
  }

  @Test("a network's IPv4 switch before 1.48", arguments: 41...50)
  func networkVersions(minor: Int) async throws {
    let engine = FakeEngine(apiVersion: "1.\(minor)")
    let made = try? await engine.createNetwork(["Name": "n", "EnableIPv4": false])
    #expect((made != nil) == (minor >= 48))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import HTTPWire
import Testing

@testable import EngineAPI

@Suite("What every client asks first")
struct SystemTests {
  @Test("a ping names the engine's version and the swarm's state", arguments: ["GET", "HEAD"])
  func ping(method: String) async throws {
    let rig = try await SwarmRig()
    let states: [(SwarmState, String)] = [
      (rig.control.state, "active/manager"), (.inactive, "inactive"), (.pending, "pending"), (.failed("x"), "error"),
    ]
    for (state, text) in states {
      rig.control.inner.withLock { $0.swarm = state }
      let response = try await rig.api.respond(to: try SwarmRig.request(method, "/_ping"))
      let expected = [
        ("Api-Version", "1.41"), ("Swarm", text), ("Docker-Experimental", "false"), ("Ostype", "linux"),
        ("Cache-Control", "no-cache, no-store, must-revalidate"), ("Pragma", "no-cache"),
      ]
      for (name, value) in expected { #expect(response.headers[name] == value) }
      #expect(response.status == 200 && response.headers["Builder-Version"] == nil)
    }
  }

  @Test("a ping is answered without the engine")
  func pingAlone() async throws {
    let rig = try await SwarmRig(active: false)
    await rig.engine.goAway()
    let response = try await rig.api.respond(to: try SwarmRig.request("GET", "/_ping"))
    #expect(response.status == 200 && response.headers["Api-Version"] == "1.50")
    let (status, text) = try await rig.call("GET", "/info")
    #expect(status == 503 && text.hasPrefix("the Docker Engine: "))
    #expect(await rig.api.announcement == Announcement())
  }

  @Test("the engine's info carries the swarm's section in every state")
  func info() async throws {
    let rig = try await SwarmRig()
    func section(_ state: SwarmState) async throws -> String? {
      rig.control.inner.withLock { $0.swarm = state }
      let json = try JSONValue(parsing: try await rig.call("GET", "/info").text)
      #expect(json["ServerVersion"] == "20.10.24")
      return json["Swarm"]?.text
    }
    let active = rig.control.state
    let empty = #"{"NodeID":"","NodeAddr":"","LocalNodeState":"STATE","ControlAvailable":false,"Error":"","RemoteManagers":null}"#
    #expect(try await section(.inactive) == empty.replacing("STATE", with: "inactive"))
    #expect(try await section(.pending) == empty.replacing("STATE", with: "pending"))
    #expect(
      try await section(.failed("no"))
        == empty.replacing("STATE", with: "error").replacing(#""Error":"""#, with: #""Error":"no""#))
    let expected =
      #"{"NodeID":"n1","NodeAddr":"10.9.0.1","LocalNodeState":"active","ControlAvailable":true,"Error":"","RemoteManagers":"#
      + #"[{"NodeID":"n1","Addr":"10.9.0.1:2377"}],"Nodes":1,"Managers":1,"Cluster":\#(SwarmTests.cluster)}}"#
    #expect(try await section(active) == expected)
  }

  @Test("two managers are warned about")
  func twoManagers() async throws {
    let rig = try await SwarmRig()
    try await rig.store.transaction { transaction in
      var second = Fixture.worker("n2")
      second.managerAddr = "10.9.0.2:2377"
      transaction.put(second)
    }
    let json = try JSONValue(parsing: try await rig.call("GET", "/info").text)
    #expect(json["Warnings"] == [.string(InfoSection.twoManagers)])
    #expect(json["Swarm"]?["Warnings"] == [.string(InfoSection.twoManagers)])
    #expect(InfoSection.twoManagers.split(separator: "\n").count == 4)
  }

  @Test(
    "what is not the swarm's goes to the engine",
    arguments: [
      ("GET", "/containers/json"), ("POST", "/_ping"), ("GET", "/"), ("GET", "/distribution/x/json"),
    ])
  func piped(method: String, path: String) async throws {
    #expect(try await SwarmRig().call(method, path) == (0, "piped"))
  }
}

@Suite("Networks over the API")
struct NetworkGuardTests {
  static let sparing = "%7B%22label%21%22%3A%5B%22skep.cluster%22%5D%7D"

  @Test("an overlay network needs a swarm; any other is the engine's")
  func overlay() async throws {
    let active = try await SwarmRig()
    let inactive = try await SwarmRig(active: false)
    let body = #"{"Name":"x","Driver":"overlay"}"#
    #expect(try await inactive.call("POST", "/networks/create", body) == (403, SwarmTests.noSwarm))
    #expect(
      try await inactive.call("POST", "/networks/create", #"{"Scope":"swarm"}"#)
        == (403, "cannot create a swarm scoped network when swarm is not active"))
    for body in [#"{"Name":"x","Driver":"bridge"}"#, "{", ""] {
      #expect(try await active.call("POST", "/networks/create", body) == (0, "/networks/create" + body))
    }
  }

  @Test("the network behind published ports cannot be removed")
  func removal() async throws {
    let rig = try await SwarmRig()
    _ = try await rig.engine.createNetwork(["Name": "0-skep-ingress"])
    _ = try await rig.engine.createNetwork(["Name": "mine"])
    #expect(
      try await rig.call("DELETE", "/networks/0-skep-ingress")
        == (403, "0-skep-ingress is used by Skep for published ports and cannot be removed"))
    #expect(try await rig.call("DELETE", "/v1.41/networks/mine") == (0, "/v1.41/networks/mine"))
    #expect(try await rig.call("DELETE", "/networks/nope") == (0, "/networks/nope"))
  }

  @Test(
    "a prune spares what is ours",
    arguments: [
      ("/networks/prune", "/networks/prune?filters=\(sparing)"),
      ("/networks/prune?a=b&filters=%7B%7D", "/networks/prune?a=b&filters=\(sparing)"),
      ("/networks/prune?filters=%7B", "/networks/prune?filters=%7B"),
    ])
  func prune(target: String, expected: String) async throws {
    #expect(try await SwarmRig(active: false).call("POST", target) == (0, expected))
  }

  @Test(
    "a filter is added in the form of the others",
    arguments: [
      (#"{"until":["1h"]}"#, #"{"until":["1h"],"label!":["skep.cluster"]}"#),
      (#"{"until":{"1h":true}}"#, #"{"until":{"1h":true},"label!":{"skep.cluster":true}}"#),
      (#"{"label!":["a"]}"#, #"{"label!":["a","skep.cluster"]}"#),
      (#"{"until":[],"label":{}}"#, #"{"label!":["skep.cluster"]}"#),
      (#"{"label!":{"a":true}}"#, #"{"label!":{"a":true,"skep.cluster":true}}"#),
    ])
  func forms(text: String, expected: String) { #expect(SwarmAPI.sparingOurs(text) == expected) }

  @Test("the docker CLI finds the networks that every engine has in the swarm's scope")
  func predefined() async throws {
    let rig = try await SwarmRig()
    let (status, text) = try await rig.call("GET", "/networks/host?scope=swarm")
    #expect(status == 200)
    let json = try JSONValue(parsing: text)
    #expect(json["Id"] == "host" && json["Scope"] == "swarm" && json["Driver"] == "host")
    #expect(try await rig.call("GET", "/networks/host") == (0, "/networks/host"))
    #expect(try await rig.call("GET", "/networks/mine?scope=swarm") == (0, "/networks/mine?scope=swarm"))
  }
}

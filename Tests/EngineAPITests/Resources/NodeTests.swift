// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import EngineAPI

@Suite("Nodes over the API")
struct NodeTests {
  static func rig() async throws -> SwarmRig {
    let rig = try await SwarmRig()
    try await rig.store.transaction { transaction in
      transaction.put(Fixture.worker("w1"))
      transaction.put(Fixture.worker("w2", state: .down))
    }
    return rig
  }

  @Test("a manager shows everything it has")
  func whole() async throws {
    let rig = try await Self.rig()
    let expected =
      #"{"ID":"n1","Version":{"Index":101},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","Spec":{"Labels":"#
      + #"{"zone":"east"},"Role":"manager","Availability":"active"},"Description":{"Hostname":"Alpha","Platform":{"Architecture":"#
      + #""x86_64","OS":"linux"},"Resources":{"NanoCPUs":2000000000,"MemoryBytes":4096,"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":2}}]},"Engine":{"EngineVersion":"20.10.24","#
      + #""Labels":{"disk":"ssd"},"Plugins":[{"Type":"Log","Name":"json-file"}]},"TLSInfo":{}},"Status":{"State":"ready","#
      + #""Addr":"10.9.0.1"},"ManagerStatus":{"Leader":true,"Reachability":"reachable","Addr":"10.9.0.1:2377"}}"#
    for reference in ["n1", "alpha", "ALPHA", "n"] {
      #expect(try await rig.call("GET", "/nodes/\(reference)") == (200, expected))
    }
    #expect(try await !rig.call("GET", "/nodes/w1").text.contains("ManagerStatus"))
    #expect(try await rig.call("GET", "/nodes/x") == (404, "node x not found"))
    #expect(try await rig.call("GET", "/nodes/w") == (400, "node w is ambiguous (2 matches found)"))
  }

  @Test(
    "nodes are filtered",
    arguments: [
      ("{}", "n1 w1 w2"), (#"{"id":["w"]}"#, "w1 w2"), (#"{"name":["Al"]}"#, "n1"), (#"{"role":["manager"]}"#, "n1"),
      (#"{"role":["worker"]}"#, "w1 w2"), (#"{"label":["disk=ssd"]}"#, "n1 w1 w2"), (#"{"node.label":["zone"]}"#, "n1"),
      (#"{"role":[""]}"#, "n1 w1 w2"), (#"{"role":["WORKER",""]}"#, "w1 w2"), (#"{"membership":[""]}"#, "n1 w1 w2"),
      (#"{"label":["zone"]}"#, ""), (#"{"membership":["accepted"]}"#, "n1 w1 w2"), (#"{"membership":["pending"]}"#, ""),
    ])
  func filters(filters: String, ids: String) async throws {
    let (status, text) = try await Self.rig().call("GET", "/nodes?filters=\(filters)")
    #expect(status == 200)
    let found = try #require(try JSONValue(parsing: text).arrayValue)
    #expect(found.compactMap { $0["ID"]?.stringValue }.joined(separator: " ") == ids)
  }

  @Test(
    "filters for what there is not are swarm's untyped errors",
    arguments: [
      (#"{"role":["x"]}"#, "Invalid role filter: 'x'"), (#"{"membership":["x"]}"#, "Invalid membership filter: 'x'"),
    ])
  func badFilters(filters: String, message: String) async throws {
    #expect(try await Self.rig().call("GET", "/nodes?filters=\(filters)") == (500, message))
  }

  @Test("an update replaces the spec")
  func update() async throws {
    let rig = try await Self.rig()
    let body = #"{"Labels":{"a":"b"},"Role":"manager","Availability":"drain"}"#
    #expect(try await rig.call("POST", "/nodes/alpha/update?version=101", body) == (200, ""))
    let node = try #require(await rig.store.read { $0.nodes["n1"] })
    #expect(node.spec == NodeSpec(labels: ["a": "b"], role: "manager", availability: "drain"))
    #expect(node.description == Fixture.manager.description && node.version > 101)
  }

  @Test(
    "an update that cannot be is refused",
    arguments: [
      (
        "n1", "x", #"{"Role":"manager","Availability":"active"}"#, 400,
        #"invalid node version 'x': strconv.ParseUint: parsing "x": invalid syntax"#
      ),
      ("n1", "101", #"{"Availability":"active"}"#, 400, #"invalid Role: """#),
      ("n1", "101", #"{"Role":"manager"}"#, 400, #"invalid Availability: """#),
      ("n1", "101", #"{"Role":"manager","Availability":"x"}"#, 400, #"invalid Availability: "x""#),
      ("nope", "101", #"{"Role":"manager","Availability":"active"}"#, 404, "node nope not found"),
      (
        "n1", "1", #"{"Role":"manager","Availability":"active"}"#, 500, "rpc error: code = Unknown desc = update out of sequence"
      ),
      (
        "n1", "101", #"{"Role":"worker","Availability":"active"}"#, 400,
        "rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm"
      ),
      (
        "w1", "102", #"{"Role":"manager","Availability":"active"}"#, 400,
        "rpc error: code = InvalidArgument desc = promotions of workers are not supported by this release of Skep"
      ),
    ])
  func refusals(id: String, version: String, body: String, status: Int, message: String) async throws {
    #expect(try await Self.rig().call("POST", "/nodes/\(id)/update?version=\(version)", body) == (status, message))
  }

  @Test("a manager and a worker that lives are not removed, a lost one is with its tasks")
  func removal() async throws {
    let rig = try await Self.rig()
    let id = try await rig.create(#"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#)
    try await rig.store.batch { transaction in
      let service = try #require(transaction.service(id))
      for slot in 1...100 { transaction.put(Fixture.task("t\(slot)", of: service, slot: slot, node: "w2")) }
    }
    let isManager =
      "rpc error: code = FailedPrecondition desc = node n1 is a cluster manager and is a member of the raft cluster. "
      + "It must be demoted to worker before removal"
    #expect(try await rig.call("DELETE", "/nodes/n1") == (400, isManager))
    #expect(try await rig.call("DELETE", "/nodes/n1?force=1") == (400, isManager))
    let isUp = "rpc error: code = FailedPrecondition desc = node w1 is not down and can't be removed"
    #expect(try await rig.call("DELETE", "/nodes/w1-host") == (400, isUp))
    #expect(try await rig.call("DELETE", "/nodes/w1?force=true") == (200, ""))
    #expect(try await rig.call("DELETE", "/nodes/w2") == (200, ""))
    let tasks = await rig.store.read { Array($0.tasks.values) }
    #expect(tasks.allSatisfy { $0.state == .orphaned && $0.status.message == "Task belonged to a node that has been deleted" })
    #expect(tasks.count == 100)
  }
}

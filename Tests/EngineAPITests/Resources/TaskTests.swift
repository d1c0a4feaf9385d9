// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("Tasks over the API")
struct TaskTests {
  /// Service `web` with two tasks of its spec and one of an older one, `t0`; service `db` with one unassigned.
  static func rig() async throws -> (rig: SwarmRig, web: Service) {
    let rig = try await SwarmRig()
    let webID = try await rig.create(
      #"{"Name":"web","Labels":{"tier":"1"},"TaskTemplate":{"ContainerSpec":{"Image":"web:1"},"Placement":{"Constraints":["node.id == n1"]}}}"#
    )
    let dbID = try await rig.create(#"{"Name":"db","TaskTemplate":{"ContainerSpec":{"Image":"db"}}}"#)
    return try await rig.store.transaction { transaction in
      let web = try #require(transaction.service(webID))
      let db = try #require(transaction.service(dbID))
      transaction.put(Fixture.worker("n2"))
      var first = Fixture.task("t1", of: web)
      first.ingressAddress = IPv4Address("10.0.1.7")
      first.status.pid = 42
      first.genericResources = [.named("gpu", "a"), .discrete("fpga", 2)]
      first.status.hostPorts = [PortConfig(targetPort: 80, publishedPort: 32_768, publishMode: "host")]
      transaction.put(first)
      transaction.put(Fixture.task("t2", of: web, slot: 0, node: "n2"))
      var old = web.spec.taskTemplate
      old.containerSpec?.image = "web:0"
      var last = Fixture.task("t0", of: web, state: .failed, spec: old, specVersion: 1)
      last.desiredState = .shutdown
      last.status.exitCode = 1
      last.status.err = "task: non-zero exit (1)"
      transaction.put(last)
      transaction.put(Fixture.task("t3", of: db, node: "", state: .pending))
      return (rig, web)
    }
  }

  @Test("a task shows everything it has")
  func whole() async throws {
    let (rig, web) = try await Self.rig()
    let ingress =
      #"{"ID":"ingressclusteraaaaaaaaaaa","Version":{},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","#
      + #""Spec":{"Name":"ingress","Labels":{},"DriverConfiguration":{},"Ingress":true,"IPAMOptions":{"Driver":{}},"#
      + #""Scope":"swarm"},"DriverState":{"Name":"overlay"},"#
      + #""IPAMOptions":{"Driver":{"Name":"default"},"Configs":[{"Subnet":"10.0.0.0/16","Gateway":"10.0.0.1"}]}}"#
    let expected =
      #"{"ID":"t1","Version":{"Index":104},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","Labels":{},"#
      + #""Spec":{"ContainerSpec":{"Image":"web:1","Isolation":"default"},"Placement":{"Constraints":["node.id == n1"]},"#
      + #""ForceUpdate":0},"ServiceID":"\#(web.id)","Slot":1,"NodeID":"n1","Status":{"Timestamp":"2024-05-01T10:00:00Z","#
      + #""State":"running","Message":"started","ContainerStatus":{"ContainerID":"c-t1","PID":42,"ExitCode":0},"PortStatus":"#
      + #"{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":32768,"PublishMode":"host"}]}},"DesiredState":"running","#
      + #""NetworksAttachments":[{"Network":\#(ingress),"Addresses":["10.0.1.7/24"]}],"GenericResources":[{"NamedResourceSpec":"#
      + #"{"Kind":"gpu","Value":"a"}},{"DiscreteResourceSpec":{"Kind":"fpga","Value":2}}],"Volumes":null}"#
    for reference in ["t1", "web.1.t1", "WEB.1.T1"] {
      #expect(try await rig.call("GET", "/tasks/\(reference)") == (200, expected))
    }
  }

  @Test("a task shows nothing it has not")
  func bare() async throws {
    let (rig, _) = try await Self.rig()
    let (_, text) = try await rig.call("GET", "/tasks/t3")
    #expect(
      text.hasSuffix(
        #""Slot":1,"Status":{"Timestamp":"2024-05-01T10:00:00Z","State":"pending","Message":"started","PortStatus":{}},"#
          + #""DesiredState":"running","Volumes":null}"#))
    #expect(try await rig.call("GET", "/tasks/web.n2.t2").text.contains(#","NodeID":"n2","#))
    try await rig.store.transaction { transaction in
      var task = try #require(transaction.task("t3"))
      task.status = TaskStatus(state: .rejected, timestamp: SwarmRig.time, message: "preparing", err: "No such image: db")
      transaction.put(task)
    }
    // Where no container could be made, swarm tells of an empty one.
    let rejected = try await rig.call("GET", "/tasks/t3").text
    #expect(rejected.contains(#""Err":"No such image: db","ContainerStatus":{"ContainerID":"","PID":0,"ExitCode":0}"#))
    #expect(try await !rig.call("GET", "/tasks/t2").text.contains("Slot"))
    #expect(try await rig.call("GET", "/tasks/t0").text.contains(#""Err":"task: non-zero exit (1)","#))
    #expect(try await rig.call("GET", "/tasks/t") == (400, "task t is ambiguous (4 matches found)"))
    #expect(try await rig.call("GET", "/tasks/web.2.t1") == (404, "task web.2.t1 not found"))
  }

  @Test(
    "tasks are filtered",
    arguments: [
      ("{}", "t0 t1 t2 t3"), (#"{"service":["web"]}"#, "t0 t1 t2"), (#"{"service":["web","db"]}"#, "t0 t1 t2 t3"),
      (#"{"node":["alpha"]}"#, "t0 t1"), (#"{"node":["n2"],"service":["web"]}"#, "t2"), (#"{"id":["t1","t3"]}"#, "t1 t3"),
      (#"{"name":["web.1"]}"#, "t0 t1"), (#"{"name":["web.n2.t2"]}"#, "t2"), (#"{"label":["tier=1"]}"#, "t0 t1 t2"),
      (#"{"desired-state":["running"]}"#, "t1 t2 t3"), (#"{"desired-state":["shutdown"]}"#, "t0"),
      (#"{"desired-state":["SHUTDOWN",""]}"#, "t0"), (#"{"desired-state":[""]}"#, "t0 t1 t2 t3"),
      (#"{"runtime":["container"]}"#, "t0 t1 t2 t3"), (#"{"runtime":["attachment"]}"#, ""),
      (#"{"service":["web"],"_up-to-date":["true"]}"#, "t1 t2"),
      (#"{"service":{"web":true},"_up-to-date":{"true":true}}"#, "t1 t2"),
    ])
  func filters(filters: String, ids: String) async throws {
    let (rig, _) = try await Self.rig()
    let (status, text) = try await rig.call("GET", "/tasks?filters=\(filters)")
    #expect(status == 200)
    let found = try #require(try JSONValue(parsing: text).arrayValue)
    #expect(found.compactMap { $0["ID"]?.stringValue }.joined(separator: " ") == ids)
  }

  @Test(
    "filters for what there is not are refused",
    arguments: [
      (#"{"service":["nope"]}"#, 404, "service nope not found"), (#"{"node":["nope"]}"#, 404, "node nope not found"),
      (#"{"desired-state":["nope"]}"#, 500, "Invalid desired-state filter: 'nope'"),
      (#"{"desired-state":["allocated"]}"#, 500, "Invalid desired-state filter: 'allocated'"),
    ])
  func badFilters(filters: String, status: Int, message: String) async throws {
    let (rig, _) = try await Self.rig()
    #expect(try await rig.call("GET", "/tasks?filters=\(filters)") == (status, message))
  }

  @Test("a changed placement makes a task stale only where its node no longer fits")
  func placement() async throws {
    let (rig, web) = try await Self.rig()
    let body =
      #"{"Name":"web","Labels":{"tier":"2"},"TaskTemplate":{"ContainerSpec":{"Image":"web:1"},"Placement":{"Constraints":["node.role == manager"]}}}"#
    #expect(try await rig.call("POST", "/services/web/update?version=\(web.version)", body).status == 200)
    let (_, text) = try await rig.call("GET", #"/tasks?filters={"service":["web"],"_up-to-date":["true"]}"#)
    let found = try #require(try JSONValue(parsing: text).arrayValue)
    #expect(found.compactMap { $0["ID"]?.stringValue } == ["t1"])
  }

  @Test("ten thousand tasks are listed in a moment")
  func many() throws {
    var store = ClusterStore()
    var services = Transaction(over: store)
    var service = Service(id: "s", spec: ServiceSpec(name: "web"), createdAt: .zero)
    service.spec.taskTemplate.containerSpec = ContainerSpec(image: "x")
    services.put(service)
    store.apply(try services.atomicProposal(), version: 1)
    var transaction = Transaction(over: store)
    for slot in 1...10_000 { transaction.put(Fixture.task("t\(slot)", of: service, slot: slot)) }
    for proposal in try transaction.batchedProposals() { store.apply(proposal, version: store.version + 1) }
    let clock = ContinuousClock()
    let spent = try clock.measure {
      var json = TaskJSON(store: store)
      let tasks = try TaskFilter(#"{"service":["web"]}"#).tasks(in: store)
      #expect(JSONValue.array(try tasks.map { try json.value($0) }).bytes.count > 1_000_000)
    }
    // A debug build on a busy machine takes under two seconds; anything quadratic takes minutes.
    #expect(spent < .seconds(20))
  }
}

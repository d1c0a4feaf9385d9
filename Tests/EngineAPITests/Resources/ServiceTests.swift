// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("Services over the API")
struct ServiceTests {
  static let web =
    #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"nginx:1"}},"EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":8080}]}}"#

  /// As the docker CLI 28 sends `service create --replicas 3 --name my-service --publish published=8080,target=80 web`.
  static let cli = #"""
    {"Name":"my-service","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"web:1","Init":false,"DNSConfig":{}},
    "Resources":{"Limits":{},"Reservations":{}},"Placement":{},"ForceUpdate":0},"Mode":{"Replicated":{"Replicas":3}},
    "EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]}}
    """#

  @Test("a service that the docker CLI creates reads back as it was sent")
  func commandLine() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.cli)
    #expect(id.utf8.count == 25)
    let expected =
      #"{"ID":"\#(id)","Version":{"Index":102},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","#
      + #""Spec":{"Name":"my-service","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"web:1","Init":false,"DNSConfig":{},"#
      + #""Isolation":"default"},"Resources":{"Limits":{},"Reservations":{}},"Placement":{},"ForceUpdate":0,"Runtime":"container"},"#
      + #""Mode":{"Replicated":{"Replicas":3}},"EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"#
      + #""PublishedPort":8080,"PublishMode":"ingress"}]}},"Endpoint":{"Spec":{}}}"#
    let found = try await rig.call("GET", "/v1.41/services/my-service")
    #expect(found == (200, expected))
    let listed = try await rig.call("GET", "/services")
    #expect(listed == (200, "[\(expected)]"))
  }

  @Test("everything that a service can have is shown")
  func whole() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.web)
    try await rig.store.transaction { transaction in
      var service = try #require(transaction.service(id))
      service.previousSpec = service.spec
      service.previousSpec?.updateConfig = UpdateConfig(parallelism: 2)
      service.previousSpec = service.previousSpec?.canonical()
      service.endpoint = .init(
        spec: EndpointSpec(mode: "vip", ports: [PortConfig(targetPort: 80, publishedPort: 0)]),
        ports: [PortConfig(targetPort: 80, publishedPort: 30_000)])
      service.updateStatus = .init(
        state: .rollbackCompleted, startedAt: SwarmRig.time, completedAt: SwarmRig.time, message: "rollback completed")
      transaction.put(service)
      for slot in 1...3 {
        transaction.put(Fixture.task("t\(slot)", of: service, slot: slot, state: slot < 3 ? .running : .failed))
      }
    }
    let (_, text) = try await rig.call("GET", "/services?status=true")
    let previous =
      #""PreviousSpec":{"Name":"web","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"nginx:1","Isolation":"default"},"#
      + #""ForceUpdate":0,"Runtime":"container"},"Mode":{"Replicated":{"Replicas":1}},"UpdateConfig":{"Parallelism":2,"#
      + #""FailureAction":"pause","MaxFailureRatio":0,"Order":"stop-first"},"EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","#
      + #""TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]}}"#
    #expect(text.contains(previous))
    #expect(
      text.hasSuffix(
        #""Endpoint":{"Spec":{"Mode":"vip","Ports":[{"TargetPort":80,"PublishedPort":0}]},"Ports":[{"Protocol":"tcp","#
          + #""TargetPort":80,"PublishedPort":30000,"PublishMode":"ingress"}]},"UpdateStatus":{"State":"rollback_completed","#
          + #""StartedAt":"2024-05-01T10:00:00Z","CompletedAt":"2024-05-01T10:00:00Z","Message":"rollback completed"},"#
          + #""ServiceStatus":{"RunningTasks":2,"DesiredTasks":1,"CompletedTasks":0}}]"#))
    #expect(try await !rig.call("GET", "/v1.40/services?status=true").text.contains("ServiceStatus"))
    #expect(try await !rig.call("GET", "/services/web").text.contains("ServiceStatus"))
    #expect(try await rig.call("GET", "/services/web?insertDefaults=true").text.contains(#""StopGracePeriod":10000000000"#))
    #expect(try await rig.call("GET", "/services/web?insertDefaults=x") == (400, Self.malformed("insertDefaults")))
    #expect(try await rig.call("GET", "/services?status=x") == (400, Self.malformed("status")))
    #expect(try await rig.call("GET", "/v1.40/services?status=x").status == 200)
  }

  static func malformed(_ name: String) -> String {
    #"invalid value for \#(name): x: strconv.ParseBool: parsing "x": invalid syntax"#
  }

  @Test(
    "a body that is no service is refused",
    arguments: [
      (" ", 400, "invalid JSON: got EOF while reading request body"), ("{", 400, "invalid JSON: unexpected EOF"),
      ("{} {}", 400, "unexpected content after JSON"),
      ("", 400, "mismatched Runtime and *Spec fields"),
      (#"{"Mode":3}"#, 400, "invalid JSON: json: cannot unmarshal number into Go struct field ServiceSpec.Mode of type object"),
      (
        #"{"Name":"a.b","TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#, 400,
        "rpc error: code = InvalidArgument desc = name must be valid as a DNS name component"
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"mine"}]}}"#, 404, "network mine not found"
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"ingress"}]}}"#, 400,
        #"rpc error: code = InvalidArgument desc = Service cannot be explicitly attached to the ingress network "ingress""#
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"local"}]}}"#, 403,
        "The network local cannot be used with services. Only networks scoped to the swarm can be used, "
          + "such as those created with the overlay driver."
      ),
      (
        #"{"Name":"WEB","TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#, 409,
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service WEB already exists"
      ),
      (
        #"{"Name":"b","TaskTemplate":{"ContainerSpec":{"Image":"x"}},"EndpointSpec":{"Ports":[{"TargetPort":1,"PublishedPort":8080}]}}"#,
        400, "rpc error: code = InvalidArgument desc = port '8080' is already in use by service 'web' (ID) as an ingress port"
      ),
      (
        #"{"Name":"b","TaskTemplate":{"ContainerSpec":{"Image":"x"}},"EndpointSpec":{"Ports":[{"TargetPort":1,"PublishedPort":8080,"PublishMode":"host"}]}}"#,
        400, "rpc error: code = InvalidArgument desc = port '8080' is already in use by service 'web' (ID) as an ingress port"
      ),
    ])
  func badCreate(body: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.web)
    _ = try await rig.engine.createNetwork(["Name": "local"])
    #expect(try await rig.call("POST", "/services/create", body) == (status, message.replacing("ID", with: id)))
  }

  @Test("two services may publish one port on their hosts, and one port of two protocols")
  func sharedPorts() async throws {
    let rig = try await SwarmRig()
    func body(_ name: String, _ port: String) -> String {
      #"{"Name":"\#(name)","TaskTemplate":{"ContainerSpec":{"Image":"x"}},"EndpointSpec":{"Ports":[{"TargetPort":1,"PublishedPort":53,\#(port)}]}}"#
    }
    try await rig.create(body("a", #""PublishMode":"host""#))
    try await rig.create(body("b", #""PublishMode":"host""#))
    try await rig.create(body("c", #""PublishMode":"host","Protocol":"udp""#))
    let (status, text) = try await rig.call("POST", "/services/create", body("d", #""PublishMode":"ingress""#))
    #expect(status == 400 && text.hasSuffix("as a host-published port"))
  }

  @Test("the media type of a body must be JSON")
  func mediaType() async throws {
    let rig = try await SwarmRig()
    #expect(
      try await rig.call("POST", "/services/create", "{}", headers: ["Content-Type": "text/plain"])
        == (400, "unsupported Content-Type header (text/plain): must be 'application/json'"))
    #expect(
      try await rig.call(
        "POST", "/services/create", "", headers: ["Content-Type": "application/json", "Transfer-Encoding": "chunked"])
        == (400, "invalid JSON: got EOF while reading request body"))
    let id = try await rig.call(
      "POST", "/services/create", Self.web, headers: ["Content-Type": "application/json; charset=utf-8"])
    #expect(id.status == 201)
  }

  @Test("a service without a name gets one")
  func randomName() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(#"{"TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#)
    let name = try #require(await rig.store.read { $0.services[id]?.name })
    #expect(name.split(separator: "_").count == 2)
    try ObjectName.check(name)
  }

  @Test("networks that every engine has are kept by name, whatever the client calls them")
  func networks() async throws {
    let rig = try await SwarmRig()
    for target in ["host", "none", "bridge"] {
      let id = try await rig.create(#"{"TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"\#(target)"}]}}"#)
      #expect(await rig.store.read { $0.services[id]?.spec.taskTemplate.networks?.map(\.target) } == [target])
    }
    let old = try await rig.call(
      "POST", "/v1.43/services/create", #"{"TaskTemplate":{"ContainerSpec":{"Image":"x"}},"Networks":[{"Target":"nope"}]}"#)
    #expect(old == (404, "network nope not found"))
    let new = try await rig.call(
      "POST", "/v1.44/services/create", #"{"TaskTemplate":{"ContainerSpec":{"Image":"x"}},"Networks":[{"Target":"nope"}]}"#)
    #expect(new.status == 201)
  }

  private static func mount(_ options: String) throws -> Mount {
    try GoJSONDecoder().decode(Mount.self, from: try JSONValue(parsing: #"{"BindOptions":\#(options)}"#))
  }

  @Test("fields that a client's version does not know are dropped")
  func versions() throws {
    let body: JSONValue = [
      "TaskTemplate": [
        "ContainerSpec": [
          "Sysctls": ["a": "b"], "CapabilityAdd": ["CAP_X"],
          "Mounts": [["BindOptions": ["CreateMountpoint": true, "NonRecursive": true, "ReadOnlyForceRecursive": true]]],
          "OomScoreAdj": 1, "Healthcheck": ["StartInterval": 5_000_000],
          "Privileges": ["NoNewPrivileges": true, "Seccomp": ["Mode": "default"], "SELinuxContext": [:]],
        ], "Resources": ["Limits": ["Pids": 5], "SwapBytes": 1], "Placement": ["MaxReplicas": 2],
      ], "Mode": ["ReplicatedJob": [:]],
    ]
    let old = try ServiceSpec(body: body, version: APIVersion(1, 39))
    let container = try #require(old.taskTemplate.containerSpec)
    #expect(container.sysctls == nil && container.capabilityAdd == nil && container.oomScoreAdj == nil)
    #expect(container.healthcheck?.startInterval == nil && container.privileges?.seLinuxContext != nil)
    #expect(container.privileges?.noNewPrivileges == false && container.privileges?.seccomp == nil)
    #expect(old.taskTemplate.resources?.limits?.pids == nil && old.taskTemplate.placement?.maxReplicas == nil)
    #expect(old.mode.replicatedJob == nil && old.withMode().mode == .replicated(1))
    #expect(container.mounts == [try Self.mount("{}")])
    let middle = try ServiceSpec(body: body, version: APIVersion(1, 42)).taskTemplate.containerSpec?.mounts
    #expect(middle == [try Self.mount(#"{"CreateMountpoint":true,"NonRecursive":true}"#)])
    let new = try ServiceSpec(body: body, version: .newest)
    #expect(new.taskTemplate.containerSpec?.mounts?.first?.bindOptions?.readOnlyForceRecursive == true)
    #expect(new.taskTemplate.containerSpec?.oomScoreAdj == 1 && new.taskTemplate.resources?.swapBytes == nil)
    #expect(new.mode.replicatedJob != nil && new.taskTemplate.resources?.limits?.pids == 5)
  }

  @Test("a service is found by id, by name in any case, by the only id that begins so")
  func lookup() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.web)
    for reference in [id, "web", "WEB", String(id.prefix(12))] {
      #expect(try await rig.call("GET", "/services/\(reference)").status == 200)
    }
    #expect(try await rig.call("GET", "/services/we") == (404, "service we not found"))
    var store = ClusterStore()
    var transaction = Transaction(over: store)
    for id in ["aab", "aac"] { transaction.put(Service(id: id, spec: ServiceSpec(name: "n-" + id), createdAt: .zero)) }
    store.apply(try transaction.atomicProposal(), version: 1)
    #expect(throws: APIError.self) { try store.lookUpService("") }
    do {
      _ = try store.lookUpService("aa")
      Issue.record("an ambiguous id was accepted")
    } catch { #expect(error.status == 400 && error.message == "service aa is ambiguous (2 matches found)") }
  }

  @Test(
    "services are filtered",
    arguments: [
      (#"{}"#, 2), (#"{"name":["we"]}"#, 1), (#"{"name":["eb"]}"#, 0), (#"{"name":{"web":true}}"#, 1),
      (#"{"label":["tier"]}"#, 1), (#"{"label":["tier="]}"#, 1), (#"{"label":["tier=1","tier=2"]}"#, 0),
      (#"{"label":["tier=1"]}"#, 1),
      (#"{"mode":["global"]}"#, 1), (#"{"mode":["global","replicated"]}"#, 2), (#"{"mode":["replicated-job"]}"#, 0),
      (#"{"runtime":["container"]}"#, 2), (#"{"runtime":["plugin"]}"#, 0), (#"{"mode":["global"],"name":["web"]}"#, 0),
    ])
  func filters(filters: String, count: Int) async throws {
    let rig = try await SwarmRig()
    try await rig.create(Self.web)
    try await rig.create(
      #"{"Name":"db","Labels":{"tier":"1"},"Mode":{"Global":{}},"TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#)
    let escaped = filters.replacing("\"", with: "%22").replacing("{", with: "%7B").replacing("}", with: "%7D")
    let (status, text) = try await rig.call("GET", "/services?filters=\(escaped)")
    #expect(status == 200)
    #expect(try JSONValue(parsing: text).arrayValue?.count == count)
  }

  @Test(
    "filters that are none are refused",
    arguments: [
      ("%7B", "invalid filter"), ("[]", "invalid filter"), (#"{"x":["1"]}"#, "invalid filter 'x'"),
      (#"{"id":3}"#, "invalid filter"),
    ])
  func badFilters(filters: String, message: String) async throws {
    let rig = try await SwarmRig()
    #expect(try await rig.call("GET", "/services?filters=\(filters)") == (400, message))
    #expect(try await rig.call("GET", "/tasks?filters=\(filters)") == (400, message))
    #expect(try await rig.call("GET", "/nodes?filters=\(filters)") == (400, message))
    #expect(try await rig.call("GET", "/secrets?filters=\(filters)") == (400, message))
  }

  @Test("removal takes the service and its name at once, and leaves the tasks to the control loops")
  func removal() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.web)
    try await rig.store.transaction { transaction in
      transaction.put(Fixture.task("t1", of: try #require(transaction.service(id))))
    }
    #expect(try await rig.call("DELETE", "/services/web") == (200, ""))
    #expect(try await rig.call("DELETE", "/services/web") == (404, "service web not found"))
    #expect(await rig.store.read { $0.tasks.count } == 1)
    try await rig.create(Self.web)
  }
}

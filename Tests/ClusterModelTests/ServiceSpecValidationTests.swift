// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Checks of a service spec")
struct ServiceSpecValidationTests {
  static func spec(_ json: String) throws -> ServiceSpec {
    try GoJSONDecoder().decode(ServiceSpec.self, from: try JSONValue(parsing: json))
  }

  /// A good spec with members of its container, its task and its own replaced.
  static func spec(container: String = "", task: String = "", service: String = "", name: String = "web") throws -> ServiceSpec {
    let containerSpec = #"{"Image":"nginx:1"\#(container.isEmpty ? "" : "," + container)}"#
    let template = #"{"ContainerSpec":\#(containerSpec)\#(task.isEmpty ? "" : "," + task)}"#
    return try spec(#"{"Name":"\#(name)","TaskTemplate":\#(template)\#(service.isEmpty ? "" : "," + service)}"#)
  }

  static func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? SpecError)?.message ?? "\(error)" }
    return nil
  }

  @Test(
    "what cannot be converted is refused without a prefix",
    arguments: [
      (#"{"TaskTemplate":{}}"#, "mismatched Runtime and *Spec fields"),
      (#"{"TaskTemplate":{"Runtime":"plugin"}}"#, "mismatched Runtime and *Spec fields"),
      (#"{"TaskTemplate":{"Runtime":"attachment"}}"#, "unsupported runtime"),
      (#"{"TaskTemplate":{"Runtime":"wasm","ContainerSpec":{}}}"#, "unsupported runtime"),
      (#"{"TaskTemplate":{"ContainerSpec":{},"RestartPolicy":{"Condition":"x"}}}"#, #"invalid RestartCondition: "x""#),
      (#"{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"image"}]}}}"#, #"invalid MountType: "image""#),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"BindOptions":{"Propagation":"x"}}]}}}"#, #"invalid MountPropagation: "x""#
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"CredentialSpec":{}}}}}"#,
        #"invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec"#
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"CredentialSpec":{"File":"a","config":"b"}}}}}"#,
        #"invalid CredentialSpec: cannot specify both "config" and "file" credential specs"#
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"CredentialSpec":{"File":"a","Config":"b","Registry":"c"}}}}}"#,
        #"invalid CredentialSpec: cannot specify both "config", "file", and "registry" credential specs"#
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"Seccomp":{"Mode":"custom","Profile":"e3!"}}}}}"#,
        "invalid JSON: illegal base64 data at input byte 2"
      ),
      (
        #"{"TaskTemplate":{"Runtime":"plugin","PluginSpec":{}},"Mode":{"Replicated":{}}}"#, "plugins must not use replicated mode"
      ),
      (#"{"TaskTemplate":{"ContainerSpec":{"Isolation":"x"}}}"#, #"invalid Isolation: "x""#),
      (#"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"Seccomp":{"Mode":"x"}}}}}"#, #"invalid Seccomp mode: "x""#),
      (#"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"AppArmor":{"Mode":"x"}}}}}"#, #"invalid AppArmor mode: "x""#),
      (#"{"TaskTemplate":{"ContainerSpec":{}},"EndpointSpec":{"Mode":"x"}}"#, #"invalid resolution mode: "x""#),
      (
        #"{"TaskTemplate":{"ContainerSpec":{}},"UpdateConfig":{"FailureAction":"x"}}"#,
        "unrecognized update failure action x"
      ),
      (#"{"TaskTemplate":{"ContainerSpec":{}},"RollbackConfig":{"Order":"x"}}"#, "unrecognized update order x"),
      (
        #"{"TaskTemplate":{"ContainerSpec":{}},"Mode":{"Global":{},"Replicated":{}}}"#, "must specify only one service mode"
      ),
      (
        #"{"TaskTemplate":{"ContainerSpec":{}},"Mode":{"ReplicatedJob":{},"GlobalJob":{}}}"#, "must specify only one service mode"
      ),
    ])
  func conversion(json: String, expected: String) throws {
    let spec = try Self.spec(json)
    #expect(throws: SpecError(expected)) { try spec.checkConversion() }
  }

  @Test(
    "the control plane refuses a bad task",
    arguments: [
      ("", #""Resources":{"Limits":{"NanoCPUs":500000}}"#, "invalid cpu value 0.0005: Must be at least 0.001"),
      ("", #""Resources":{"Reservations":{"MemoryBytes":1024}}"#, "invalid memory value 1024: Must be at least 4MiB"),
      ("", #""RestartPolicy":{"Delay":-1}"#, "TaskSpec: restart-delay cannot be negative"),
      ("", #""RestartPolicy":{"Window":-1}"#, "TaskSpec: restart-window cannot be negative"),
      (#""Image":"""#, "", "ContainerSpec: image reference must be provided"),
      (#""Image":"Nope:1""#, "", #"ContainerSpec: "Nope:1" is not a valid repository/tag"#),
      (#""Mounts":[{"Target":"/x"},{"Target":"/x"}]"#, "", "ContainerSpec: duplicate mount point: /x"),
      (#""Mounts":[{"Target":"/{{.Task.Slot}}"},{"Target":"/1"}]"#, "", "ContainerSpec: duplicate mount point: /1"),
      (#""Healthcheck":{"Interval":1}"#, "", "ContainerSpec: Interval in HealthConfig cannot be less than 1ms"),
      (#""Healthcheck":{"Timeout":-1}"#, "", "ContainerSpec: Timeout in HealthConfig cannot be less than 1ms"),
      (#""Healthcheck":{"StartPeriod":1}"#, "", "ContainerSpec: StartPeriod in HealthConfig cannot be less than 1ms"),
      (#""Healthcheck":{"StartInterval":1}"#, "", "ContainerSpec: StartInterval in HealthConfig cannot be less than 1ms"),
      (#""Healthcheck":{"Retries":-1}"#, "", "ContainerSpec: Retries in HealthConfig cannot be negative"),
    ])
  func task(container: String, task: String, expected: String) throws {
    let spec = try Self.spec(container: container, task: task)
    #expect(Self.message { try spec.validate() } == "rpc error: code = InvalidArgument desc = \(expected)")
  }

  @Test(
    "the control plane refuses a bad service",
    arguments: [
      (#""UpdateConfig":{"Delay":-1}"#, "TaskSpec: update-delay cannot be negative"),
      (#""UpdateConfig":{"Monitor":-1}"#, "TaskSpec: update-monitor cannot be negative"),
      (#""UpdateConfig":{"MaxFailureRatio":1.5}"#, "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1"),
      (#""Mode":{"Replicated":{"Replicas":9223372036854775808}}"#, "Number of replicas must be non-negative"),
      (#""Mode":{"Replicated":{"Replicas":100001}}"#, "Number of replicas must be at most 100000"),
      (#""Mode":{"ReplicatedJob":{"MaxConcurrent":9223372036854775808}}"#, "Maximum concurrent jobs must not be negative"),
      (#""Mode":{"ReplicatedJob":{"TotalCompletions":9223372036854775808}}"#, "Total completed jobs must not be negative"),
      (#""Mode":{"ReplicatedJob":{"TotalCompletions":100001}}"#, "Total completed jobs must be at most 100000"),
      (#""Mode":{"ReplicatedJob":{}},"UpdateConfig":{"Delay":-1}"#, "Jobs may not have an update config"),
      (#""Mode":{"GlobalJob":{}},"UpdateConfig":{}"#, "Jobs may not have an update config"),
      (
        #""EndpointSpec":{"Mode":"dnsrr","Ports":[{"TargetPort":80}]}"#,
        "EndpointSpec: port published with ingress mode can't be used with dnsrr mode"
      ),
      (
        #""EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":1},{"TargetPort":81,"PublishedPort":1,"PublishMode":"host"}]}"#,
        "EndpointSpec: duplicate published ports provided"
      ),
    ])
  func service(members: String, expected: String) throws {
    let spec = try Self.spec(service: members).withMode()
    #expect(Self.message { try spec.validate() } == "rpc error: code = InvalidArgument desc = \(expected)")
  }

  @Test(
    "a job runs one task at a time, and as many as run at a time, unless told otherwise",
    arguments: [
      ("", 1, 1), (#""MaxConcurrent":3"#, 3, 3), (#""TotalCompletions":5"#, 1, 5), (#""MaxConcurrent":0"#, 0, 0),
      (#""MaxConcurrent":2,"TotalCompletions":0"#, 2, 0), (#""MaxConcurrent":9223372036854775807"#, Int64.max, 5),
    ] as [(String, Int64, UInt64)])
  func job(members: String, atOnce: Int64, total: UInt64) throws {
    let given = atOnce == .max ? members + #","TotalCompletions":5"# : members
    let spec = try Self.spec(service: #""Mode":{"ReplicatedJob":{\#(given)}},"RollbackConfig":{}"#).withMode()
    #expect(spec.mode == .job(total, atOnce: UInt64(atOnce)))
    try spec.checkSupport()
    try spec.validate()
  }

  @Test(
    "a bad constraint is swarm's untyped error",
    arguments: [("node.id", "constraint expected one operator from ==, !="), ("1 == x", "key '1' is invalid")])
  func constraints(text: String, expected: String) throws {
    let spec = try Self.spec(task: #""Placement":{"Constraints":["\#(text)"]}"#)
    #expect(throws: SpecError(rpc: .unknown, expected)) { try spec.validate() }
    #expect(SpecError(rpc: .unknown, "").status == 500)
  }

  @Test(
    "names follow DNS",
    arguments: [
      ("", "meta: name must be provided"), ("-a", "name must be valid as a DNS name component"),
      ("a.b", "name must be valid as a DNS name component"), ("a_", "name must be valid as a DNS name component"),
      (String(repeating: "a", count: 64), "name must be 63 characters or fewer"),
    ])
  func names(name: String, expected: String) {
    #expect(throws: SpecError.invalidArgument(expected)) { try ObjectName.check(name) }
  }

  @Test("good names pass", arguments: ["a", "A-b_c", "0", "web--1", String(repeating: "a", count: 63)])
  func goodNames(name: String) throws { try ObjectName.check(name) }

  @Test(
    "what this release has not is refused by name",
    arguments: [
      (#""Mounts":[{"Type":"cluster"}]"#, "", "", "cluster volumes (CSI mounts)"),
      ("", #""Networks":[{"Target":"host"},{"Target":"none"}]"#, "", "services on the network host and others"),
      ("", #""Networks":[{"Target":"bridge","Aliases":["a"]}]"#, "", "aliases on the network bridge"),
      ("", #""Networks":[{"Target":"bridge","DriverOpts":{"a":"b"}}]"#, "", "driver options of networks"),
      ("", #""Runtime":"plugin","PluginSpec":{}"#, "", "plugin services"),
      ("", "", #""EndpointSpec":{"Ports":[{"Protocol":"sctp","TargetPort":53}]}"#, "sctp ports in ingress mode"),
    ])
  func unsupported(container: String, task: String, service: String, what: String) throws {
    let spec = try Self.spec(container: container, task: task, service: service)
    #expect(throws: SpecError.invalidArgument("\(what) are not supported by this release of Skep")) { try spec.checkSupport() }
  }

  @Test("a port in ingress mode needs a network that the swarm can reach", arguments: ["host", "none", "bridge"])
  func unreachable(network: String) throws {
    let spec = try Self.spec(
      task: #""Networks":[{"Target":"\#(network)"}]"#, service: #""EndpointSpec":{"Ports":[{"TargetPort":80}]}"#)
    let refusal = SpecError.invalidArgument(
      "EndpointSpec: port published with ingress mode can't be used with the network \(network.goQuoted)")
    #expect(Self.message { try spec.checkSupport() } == (network == "bridge" ? nil : refusal.message))
  }

  @Test(
    "Skep's labels are checked",
    arguments: [
      (
        Labels.strategy, "fastest",
        #"label skep.lb.strategy: unknown strategy "fastest", must be one of round-robin, least-connections, ip-hash, random"#
      ),
      (Labels.drainTimeout, "10", #"label skep.drain.timeout: "10" is not a duration such as 10s or 1m30s"#),
      (Labels.maxConnections, "0", #"label skep.lb.max-connections: "0" is not a number from 1 to 1048576"#),
      (Labels.maxConnections, "many", #"label skep.lb.max-connections: "many" is not a number from 1 to 1048576"#),
      (Labels.maxConnections, "1048577", #"label skep.lb.max-connections: "1048577" is not a number from 1 to 1048576"#),
      (Labels.idleTimeout, "0", #"label skep.lb.idle-timeout: "0" is not a duration from 1s to 1000h"#),
      (Labels.idleTimeout, "15", #"label skep.lb.idle-timeout: "15" is not a duration from 1s to 1000h"#),
      (Labels.idleTimeout, "1001h", #"label skep.lb.idle-timeout: "1001h" is not a duration from 1s to 1000h"#),
      (Labels.dependsOn, "", #"label skep.depends-on: "" is not a list such as db,cache:healthy"#),
      (Labels.dependsOn, "db,", #"label skep.depends-on: "db," is not a list such as db,cache:healthy"#),
      (Labels.dependsOn, "db:started", #"label skep.depends-on: "db:started" is not a list such as db,cache:healthy"#),
      (Labels.dependsOn, ":healthy", #"label skep.depends-on: ":healthy" is not a list such as db,cache:healthy"#),
      (Labels.readyTimeout, "-1s", #"label skep.ready.timeout: "-1s" is not a duration such as 10s or 1m30s"#),
    ])
  func labels(label: String, value: String, expected: String) throws {
    let spec = try Self.spec(service: #""Labels":{"\#(label)":"\#(value)"}"#)
    #expect(throws: SpecError.invalidArgument(expected)) { try spec.checkSupport() }
  }

  @Test("a service cannot wait for itself, by its name in a stack either", arguments: ["cache, Web:healthy", "shop_web"])
  func ownDependency(label: String) {
    var spec = ServiceSpec(name: "shop_web", taskTemplate: TaskSpec(containerSpec: ContainerSpec(image: "web:1")))
    spec.labels = [Labels.dependsOn: label, "com.docker.stack.namespace": "shop"]
    #expect(throws: SpecError.invalidArgument("label skep.depends-on: a service cannot wait for itself")) {
      try spec.checkSupport()
    }
  }

  @Test("a whole spec of good values passes every check")
  func good() throws {
    let spec = try Self.spec(
      container: #""Env":["A={{.Task.Slot}}"],"Mounts":[{"Type":"volume","Source":"d-{{.Task.Slot}}","Target":"/d"}]"#,
      task:
        #""Placement":{"Constraints":["node.role == manager","planet == earth"]},"Resources":{"Limits":{"NanoCPUs":1000000}}"#,
      service: ##"""
        "Labels":{"skep.lb.strategy":"ip-hash","skep.drain.timeout":"1m30s","skep.lb.max-connections":"900",
          "skep.lb.idle-timeout":"15m"},
        "EndpointSpec":{"Ports":[{"Protocol":"udp","TargetPort":53,"PublishedPort":53,"PublishMode":"host"},{"TargetPort":80}]}
        """##)
    try spec.checkConversion()
    try spec.checkSupport()
    try spec.withMode().validate()
    #expect(spec.withMode().mode == .replicated(1))
  }

  @Test(
    "a template is expanded once at the door",
    arguments: [
      (#""Env":["A={{.Nope}}"]"#, #"expanding env failed: expanding env "A={{.Nope}}": template: "#),
      (#""Hostname":"{{.Service.Nope}}""#, "expanding hostname failed: "),
      (
        #""Mounts":[{"Type":"bind","Source":"{{","Target":"/x"}]"#,
        #"expanding mounts failed: expanding mount source "{{": template: "#
      ),
    ])
  func templates(container: String, expected: String) throws {
    let spec = try Self.spec(container: container).withMode()
    let message = try #require(Self.message { try spec.validate() })
    #expect(message.hasPrefix("rpc error: code = InvalidArgument desc = \(expected)"))
  }

  @Test("every code has its status")
  func statuses() {
    let statuses = RPCCode.allCases.map(\.httpStatus)
    #expect(statuses == [400, 400, 400, 401, 403, 404, 409, 501, 503, 500, 500, 500, 500, 500])
  }

  @Test(
    "image names follow the registry's grammar",
    arguments: [
      ("nginx", true), ("nginx:1.25-alpine", true), ("team/app", true), ("registry.example.com:5000/a/b__c:T_1", true),
      ("localhost/a", true), ("a@sha256:\(String(repeating: "0", count: 64))", true), ("[::1]:5000/a", true),
      ("a:1@sha256:\(String(repeating: "0", count: 64))", true), ("Host/a", true), ("", false), ("Nginx", false), ("a/B", false),
      ("a:", false), ("a:-x", false), ("a@sha256:00", false), ("a//b", false), ("-a", false), ("a___b", false), ("a b", false),
      (String(repeating: "0", count: 64), false), ("a.b:x/c", false),
    ])
  func images(text: String, expected: Bool) { #expect(ImageReference.isValid(text) == expected) }

  @Test("insertDefaults fills what is absent and nothing else")
  func defaults() throws {
    let filled = try Self.spec(service: #""Mode":{"Replicated":{"Replicas":2}},"UpdateConfig":{"Parallelism":0}"#).withDefaults()
    let text = try GoJSONEncoder().encode(filled).text
    #expect(
      text == #"{"Name":"web","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"nginx:1","StopGracePeriod":10000000000,"#
        + #""DNSConfig":{}},"Resources":{},"RestartPolicy":{"Condition":"any","Delay":5000000000,"#
        + #""MaxAttempts":0},"Placement":{},"ForceUpdate":0},"Mode":{"Replicated":{"Replicas":2}},"UpdateConfig":{"Parallelism":0,"#
        + #""Monitor":5000000000,"MaxFailureRatio":0},"RollbackConfig":{"Parallelism":1,"FailureAction":"pause","#
        + #""Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"}}"#)
  }
}

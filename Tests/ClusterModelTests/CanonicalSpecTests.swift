// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("The one form of a spec")
struct CanonicalSpecTests {
  static func canonical(_ json: String) throws -> ServiceSpec {
    try GoJSONDecoder().decode(ServiceSpec.self, from: try JSONValue(parsing: json)).canonical()
  }

  @Test(
    "is swarm's: zeros are left out, words are in lower case, what swarm fills in is filled in",
    arguments: [
      (
        #""UpdateConfig":{}"#,
        #""UpdateConfig":{"Parallelism":0,"FailureAction":"pause","MaxFailureRatio":0,"Order":"stop-first"}"#
      ),
      (
        #""RollbackConfig":{"Delay":0,"Monitor":0,"FailureAction":"continue","Order":"start-first"}"#,
        #""RollbackConfig":{"Parallelism":0,"FailureAction":"continue","MaxFailureRatio":0,"Order":"start-first"}"#
      ),
      (#""EndpointSpec":{}"#, #""EndpointSpec":{"Mode":"vip"}"#),
      (
        #""EndpointSpec":{"Mode":"dnsrr","Ports":[{"TargetPort":80,"PublishedPort":0,"Protocol":"UDP","PublishMode":"HOST"},{}]}"#,
        #""EndpointSpec":{"Mode":"dnsrr","Ports":[{"Protocol":"udp","TargetPort":80,"PublishMode":"host"},{"Protocol":"tcp","PublishMode":"ingress"}]}"#
      ),
    ])
  func services(members: String, expected: String) throws {
    let text = try GoJSONEncoder().encode(try Self.canonical("{\(members)}")).text
    #expect(text.hasSuffix("\"Mode\":{},\(expected)}"), "\(text)")
  }

  @Test(
    "of a task",
    arguments: [
      (#""RestartPolicy":{}"#, #""RestartPolicy":{"Condition":"any","MaxAttempts":0}"#),
      (
        #""RestartPolicy":{"Condition":"none","Delay":0,"Window":0}"#,
        #""RestartPolicy":{"Condition":"none","Delay":0,"MaxAttempts":0,"Window":0}"#
      ),
      (
        #""Resources":{"Limits":{"NanoCPUs":0,"MemoryBytes":0,"Pids":0},"Reservations":{"NanoCPUs":0,"MemoryBytes":0}}"#,
        #""Resources":{"Limits":{},"Reservations":{}}"#
      ),
      (
        #""Placement":{"MaxReplicas":0,"Preferences":[{},{"Spread":{}}],"Platforms":[{}]}"#,
        #""Placement":{"Preferences":[{"Spread":{"SpreadDescriptor":""}}],"Platforms":[{}]}"#
      ),
      (
        #""Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":0}}]}}"#,
        #""Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu"}}]}}"#
      ),
      (#""Runtime":"container","LogDriver":{}"#, #""LogDriver":{}"#),
    ])
  func tasks(members: String, expected: String) throws {
    let text = try GoJSONEncoder().encode(try Self.canonical(#"{"TaskTemplate":{\#(members)}}"#).taskTemplate).text
    #expect(text.replacing(#""ForceUpdate":0"#, with: "").filter { $0 != "," } == "{\(expected)}".filter { $0 != "," })
  }

  @Test(
    "of a container",
    arguments: [
      (#""TTY":false,"OpenStdin":false,"ReadOnly":false,"OomScoreAdj":0"#, "{}"), (#""Init":false"#, #"{"Init":false}"#),
      (#""StopGracePeriod":0"#, #"{"StopGracePeriod":0}"#), (#""TTY":true"#, #"{"TTY":true}"#),
      (#""Isolation":"default""#, "{}"), (#""Isolation":"x""#, "{}"), (#""Isolation":"HyperV""#, #"{"Isolation":"hyperv"}"#),
      (
        #""Healthcheck":{"Test":["NONE"],"Interval":0,"Timeout":0,"StartPeriod":0,"StartInterval":0,"Retries":0}"#,
        #"{"Healthcheck":{"Test":["NONE"]}}"#
      ),
      (#""Ulimits":[{"Name":"nofile"}]"#, #"{"Ulimits":[{"Name":"nofile","Hard":0,"Soft":0}]}"#),
      (#""Privileges":{}"#, #"{"Privileges":{"CredentialSpec":null,"SELinuxContext":null,"NoNewPrivileges":false}}"#),
      (
        #""privileges":{"selinuxcontext":{"DISABLE":true},"Seccomp":{"Mode":"x"},"AppArmor":{},"NoNewPrivileges":true}"#,
        #"{"Privileges":{"CredentialSpec":null,"SELinuxContext":{"Disable":true,"User":"","Role":"","Type":"","Level":""},"#
          + #""Seccomp":{"Mode":"default"},"AppArmor":{"Mode":"default"},"NoNewPrivileges":true}}"#
      ),
      (#""Mounts":[{"Target":"/x","Consistency":"cached"}]"#, #"{"Mounts":[{"Type":"bind","Target":"/x"}]}"#),
      (
        #""Mounts":[{"Type":"TMPFS","Target":"/x","ReadOnly":false,"TmpfsOptions":{"SizeBytes":0,"Mode":0}}]"#,
        #"{"Mounts":[{"Type":"tmpfs","Target":"/x","TmpfsOptions":{}}]}"#
      ),
      (#""Mounts":[{"Type":"bind","BindOptions":{"NonRecursive":false}}]"#, #"{"Mounts":[{"Type":"bind"}]}"#),
      (
        #""Mounts":[{"BindOptions":{"NonRecursive":true}}]"#,
        #"{"Mounts":[{"Type":"bind","BindOptions":{"Propagation":"rprivate","NonRecursive":true}}]}"#
      ),
      (
        #""Mounts":[{"BindOptions":{"Propagation":"SHARED"}},{"Type":"volume","VolumeOptions":{"NoCopy":false}}]"#,
        #"{"Mounts":[{"Type":"bind","BindOptions":{"Propagation":"shared"}},{"Type":"volume","VolumeOptions":{}}]}"#
      ),
    ])
  func containers(members: String, expected: String) throws {
    let spec = try Self.canonical(#"{"TaskTemplate":{"ContainerSpec":{\#(members)}}}"#)
    #expect(try GoJSONEncoder().encode(try #require(spec.taskTemplate.containerSpec)).text == expected)
  }

  @Test("is its own, and what is wrong stays as it came")
  func stable() throws {
    let json = #"""
      {"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"Image","BindOptions":{"Propagation":"Wide"}}]},
      "RestartPolicy":{"Condition":"Never"}},"UpdateConfig":{"FailureAction":"x"},"EndpointSpec":{"Mode":"VIP"}}
      """#
    let spec = try Self.canonical(json)
    #expect(spec.canonical() == spec)
    let mount = spec.taskTemplate.containerSpec?.mounts?.first
    #expect(mount?.type == "Image" && mount?.bindOptions?.propagation == "Wide")
    #expect(spec.taskTemplate.restartPolicy?.condition == "Never" && spec.updateConfig?.failureAction == "x")
    #expect(spec.endpointSpec?.mode == "VIP")
  }

  @Test("a task of an earlier way to write its spec is up to date")
  func freshness() throws {
    var service = Service(
      id: "s", spec: try Self.canonical(#"{"TaskTemplate":{"ContainerSpec":{}},"EndpointSpec":{}}"#), createdAt: .zero)
    service.version = 2
    let old = try GoJSONDecoder().decode(
      TaskSpec.self, from: Array(#"{"ContainerSpec":{"TTY":false,"Isolation":"default"}}"#.utf8))
    let template = TaskTemplate(
      key: .init(serviceID: "s", specVersion: 1), serviceName: "s", serviceLabels: [:], spec: old, endpointSpec: nil, ports: [])
    let task = ClusterTask(
      id: "t", template: template, slot: 1, desiredState: .running,
      status: TaskStatus(state: .running, timestamp: .zero, message: ""), createdAt: .zero)
    #expect(task.isUpToDate(with: service, on: nil))
    service.spec.taskTemplate.containerSpec?.tty = true
    #expect(!task.isUpToDate(with: service, on: nil))
  }
}

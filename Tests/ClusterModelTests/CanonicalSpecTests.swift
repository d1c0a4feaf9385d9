// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Specs that mean the same")
struct CanonicalSpecTests {
  @Test(
    "become the same, as swarm keeps them",
    arguments: [
      (
        #"{"UpdateConfig":{},"RollbackConfig":{"Delay":0,"Monitor":0,"Order":"start-first"}}"#,
        #"{"UpdateConfig":{"Parallelism":0,"FailureAction":"pause","MaxFailureRatio":0,"Order":"stop-first"},"RollbackConfig":"#
          + #"{"Parallelism":0,"FailureAction":"pause","MaxFailureRatio":0,"Order":"start-first"}}"#
      ),
      (#"{"EndpointSpec":{}}"#, #"{"EndpointSpec":{"Mode":"vip"}}"#),
      (
        #"{"EndpointSpec":{"Mode":"dnsrr","Ports":[{"Protocol":"UDP","TargetPort":53,"PublishedPort":0,"PublishMode":"HOST"}]}}"#,
        #"{"EndpointSpec":{"Mode":"dnsrr","Ports":[{"Protocol":"udp","TargetPort":53,"PublishMode":"host"}]}}"#
      ),
      (Self.task(#""RestartPolicy":{"Delay":0}"#), Self.task(#""RestartPolicy":{"Condition":"any","Delay":0,"MaxAttempts":0}"#)),
      (
        Self.task(#""Resources":{"Limits":{"NanoCPUs":0,"MemoryBytes":0,"Pids":0},"Reservations":{"MemoryBytes":0}}"#),
        Self.task(#""Resources":{"Limits":{},"Reservations":{}}"#)
      ),
      (Self.task(#""Placement":{"MaxReplicas":0,"Preferences":[{}]}"#), Self.task(#""Placement":{}"#)),
      (Self.task(#""Runtime":"container""#), Self.task("")),
      (
        Self.container(
          #""TTY":false,"OpenStdin":false,"ReadOnly":false,"OomScoreAdj":0,"Isolation":"Default","Init":false,"StopGracePeriod":0"#
        ),
        Self.container(#""Init":false,"StopGracePeriod":0"#)
      ),
      (
        Self.container(#""Healthcheck":{"Interval":0,"Timeout":0,"StartPeriod":0,"StartInterval":0,"Retries":0}"#),
        Self.container(#""Healthcheck":{}"#)
      ),
      (Self.container(#""Ulimits":[{"Name":"core"}]"#), Self.container(#""Ulimits":[{"Name":"core","Hard":0,"Soft":0}]"#)),
      (
        Self.container(#""Privileges":{}"#),
        Self.container(#""Privileges":{"CredentialSpec":null,"SELinuxContext":null,"NoNewPrivileges":false}"#)
      ),
      (
        Self.container(#""Privileges":{"Seccomp":{},"AppArmor":{"Mode":""}}"#),
        Self.container(
          #""Privileges":{"CredentialSpec":null,"SELinuxContext":null,"Seccomp":{"Mode":"default"},"AppArmor":{"Mode":"default"},"NoNewPrivileges":false}"#
        )
      ),
      (
        Self.task(#""Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":0}}]}}"#),
        Self.task(#""Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu"}}]}}"#)
      ),
      (
        Self.container(#""Privileges":{"SELinuxContext":{"User":"u"},"NoNewPrivileges":true}"#),
        Self.container(
          #""Privileges":{"CredentialSpec":null,"SELinuxContext":{"Disable":false,"User":"u","Role":"","Type":"","Level":""},"NoNewPrivileges":true}"#
        )
      ),
      (Self.mount(#""Target":"/x","ReadOnly":false,"Consistency":"cached""#), Self.mount(#""Type":"bind","Target":"/x""#)),
      (Self.mount(#""Type":"TMPFS","TmpfsOptions":{"SizeBytes":0,"Mode":0}"#), Self.mount(#""Type":"tmpfs","TmpfsOptions":{}"#)),
      (Self.mount(#""Type":"volume","VolumeOptions":{"NoCopy":false}"#), Self.mount(#""Type":"volume","VolumeOptions":{}"#)),
      (Self.mount(#""Type":"Bind","BindOptions":{}"#), Self.mount(#""Type":"bind""#)),
      (
        Self.mount(#""Type":"bind","BindOptions":{"NonRecursive":true}"#),
        Self.mount(#""Type":"bind","BindOptions":{"Propagation":"rprivate","NonRecursive":true}"#)
      ),
      (
        Self.mount(#""Type":"bind","BindOptions":{"Propagation":"RSlave"}"#),
        Self.mount(#""Type":"bind","BindOptions":{"Propagation":"rslave"}"#)
      ),
      (
        Self.mount(#""Type":"bind","BindOptions":{"CreateMountpoint":true}"#),
        Self.mount(#""Type":"bind","BindOptions":{"Propagation":"rprivate","CreateMountpoint":true}"#)
      ),
    ])
  func canonical(sent: String, kept: String) throws {
    let spec = try GoJSONDecoder().decode(ServiceSpec.self, from: try JSONValue(parsing: sent)).canonical()
    let whole = try GoJSONEncoder().encode(spec)
    let wanted = try JSONValue(parsing: kept).objectValue?.members.map(\.key) ?? []
    var part = JSONObject()
    for key in wanted { part.append(key, Self.withoutCounter(whole[key] ?? .null)) }
    #expect(JSONValue.object(part).text == kept)
    #expect(spec.canonical() == spec)
  }

  @Test("what is wrong stays as it came, for the checks to name it")
  func wrong() throws {
    let json = #"""
      {"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"image","BindOptions":{"Propagation":"wide"}}]},
      "RestartPolicy":{"Condition":"Never"}},"UpdateConfig":{"FailureAction":"x"},"EndpointSpec":{"Mode":"VIP"}}
      """#
    let spec = try GoJSONDecoder().decode(ServiceSpec.self, from: try JSONValue(parsing: json)).canonical()
    let mount = spec.taskTemplate.containerSpec?.mounts?.first
    #expect(mount?.type == "image" && mount?.bindOptions?.propagation == "wide")
    #expect(spec.taskTemplate.restartPolicy?.condition == "Never" && spec.updateConfig?.failureAction == "x")
    #expect(spec.endpointSpec?.mode == "VIP")
  }

  @Test("a task of an earlier way to write its spec is up to date")
  func freshness() throws {
    let json = #"{"TaskTemplate":{"ContainerSpec":{}},"EndpointSpec":{}}"#
    let spec = try GoJSONDecoder().decode(ServiceSpec.self, from: try JSONValue(parsing: json)).canonical()
    var service = Service(id: "s", spec: spec, createdAt: .zero)
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

  /// `ForceUpdate` is always there and says nothing here.
  private static func withoutCounter(_ value: JSONValue) -> JSONValue {
    guard let fields = value.objectValue else { return value }
    var object = JSONObject()
    for member in fields.members where member.key != "ForceUpdate" { object.append(member.key, member.value) }
    return .object(object)
  }

  private static func task(_ members: String) -> String { #"{"TaskTemplate":{\#(members)}}"# }
  private static func container(_ members: String) -> String { task(#""ContainerSpec":{\#(members)}"#) }
  private static func mount(_ members: String) -> String { container(#""Mounts":[{\#(members)}]"#) }
}

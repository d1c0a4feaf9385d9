// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import NodeAgent

@Suite("A task's container")
struct ContainerBodyTests {
  static let platform = NodeDescription.Platform(architecture: "x86_64", os: "linux")

  func body(_ task: ClusterTask) throws -> String {
    let context = TemplateContext(task: task, hostname: "host-1", platform: Self.platform)
    return try ContainerBody(task: task, clusterID: "cluster1", context: context).json().text
  }

  func spec(_ json: String) throws -> TaskSpec { try GoJSONDecoder().decode(TaskSpec.self, from: Array(json.utf8)) }

  static let labels =
    #""com.docker.swarm.node.id":"node1","com.docker.swarm.service.id":"service1","com.docker.swarm.service.name":"web","#
    + #""com.docker.swarm.task":"","com.docker.swarm.task.id":"task1","com.docker.swarm.task.name":"web.1.task1""#

  @Test("the least spec")
  func least() throws {
    let wanted =
      #"{"Env":[],"Image":"web:1","Labels":{\#(Self.labels),"skep.cluster":"cluster1"},"#
      + #""HostConfig":{"NetworkMode":"default","PortBindings":{},"Ulimits":[],"Isolation":"default"}}"#
    #expect(try body(Fixtures.task()) == wanted)
  }

  @Test("every part of a spec has its place")
  func everything() throws {
    let json = """
      {"ContainerSpec":{"Image":"web","Labels":{"a":"b","com.docker.swarm.task.id":"forged","skep.cluster":"forged"},
      "Command":["/bin/web"],"Args":["-v"],"Hostname":"{{.Node.Hostname}}-{{.Task.Slot}}","Env":["A={{.Service.Name}}","B"],
      "Dir":"/srv","User":"1:2","Groups":["staff"],"Init":true,"StopSignal":"SIGINT","TTY":true,"OpenStdin":true,"ReadOnly":true,
      "StopGracePeriod":1500000000,"Healthcheck":{"Test":["CMD","x"],"Interval":1,"Timeout":2,"StartPeriod":3,"Retries":4},
      "Hosts":["1.2.3.4 db alias","bad"],"DNSConfig":{"Nameservers":["9.9.9.9"],"Search":["x"],"Options":["y"]},
      "Sysctls":{"net.a":"1"},"CapabilityAdd":["CAP_A"],"CapabilityDrop":["CAP_B"],
      "Ulimits":[{"Name":"nofile","Hard":2,"Soft":1}],"OomScoreAdj":5,
      "Privileges":{"SELinuxContext":{"User":"u","Type":"t","Level":"l"},"Seccomp":{"Mode":"custom","Profile":"e30="},
      "AppArmor":{"Mode":"disabled"},"NoNewPrivileges":true},
      "Mounts":[{"Type":"volume","Source":"data-{{.Task.Slot}}","Target":"/d","VolumeOptions":{"NoCopy":true,"Labels":{"s":"{{.Service.ID}}"},
      "DriverConfig":{"Name":"local","Options":{"o":"{{.Node.ID}}"}}}},
      {"Type":"bind","Source":"/s","Target":"/b","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}},
      {"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":10,"Mode":448}}]},
      "Resources":{"Limits":{"NanoCPUs":500000000,"MemoryBytes":1000,"Pids":9},"Reservations":{"MemoryBytes":5},"SwapBytes":24,
      "MemorySwappiness":0},"LogDriver":{"Name":"json-file","Options":{"max-size":"1m"}}}
      """
    let template = Fixtures.template(
      ports: [
        PortConfig(targetPort: 80, publishedPort: 8080, publishMode: "host"),
        PortConfig(targetPort: 53, publishedPort: nil, protocol: "udp", publishMode: "host"), Fixtures.webPort,
      ], { $0 = (try? spec(json)) ?? $0 })
    let wanted =
      #"{"Hostname":"host-1-1","Env":["A=web","B"],"Image":"web:latest","#
      + #""Labels":{"a":"b",\#(Self.labels),"skep.cluster":"cluster1"},"ExposedPorts":{"80/tcp":{},"53/udp":{}},"#
      + #""Healthcheck":{"Test":["CMD","x"],"Interval":1,"Timeout":2,"StartPeriod":3,"Retries":4},"#
      + #""Entrypoint":["/bin/web"],"Cmd":["-v"],"WorkingDir":"/srv","User":"1:2","Tty":true,"OpenStdin":true,"#
      + #""StopSignal":"SIGINT","StopTimeout":2,"HostConfig":{"NetworkMode":"0-skep-ingress","#
      + #""PortBindings":{"80/tcp":[{"HostPort":"8080"}],"53/udp":[{"HostPort":""}]},"Mounts":["#
      + #"{"Type":"volume","Source":"data-1","Target":"/d","VolumeOptions":{"NoCopy":true,"Labels":{"s":"service1"},"#
      + #""DriverConfig":{"Name":"local","Options":{"o":"node1"}}}},"#
      + #"{"Type":"bind","Source":"/s","Target":"/b","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}},"#
      + #"{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":10,"Mode":448}}],"#
      + #""LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}},"NanoCpus":500000000,"Memory":1000,"PidsLimit":9,"#
      + #""MemorySwap":1024,"MemorySwappiness":0,"OomScoreAdj":5,"Ulimits":[{"Name":"nofile","Hard":2,"Soft":1}],"#
      + #""ExtraHosts":["db:1.2.3.4"],"Dns":["9.9.9.9"],"DnsSearch":["x"],"DnsOptions":["y"],"GroupAdd":["staff"],"#
      + #""CapAdd":["CAP_A"],"CapDrop":["CAP_B"],"Sysctls":{"net.a":"1"},"ReadonlyRootfs":true,"Init":true,"Isolation":"default","#
      + #""SecurityOpt":["label=user:u","label=level:l","label=type:t","seccomp={}","apparmor=unconfined","no-new-privileges=true"]},"#
      + #""NetworkingConfig":{"EndpointsConfig":{"0-skep-ingress":{"IPAMConfig":{"IPv4Address":"10.0.1.7"}}}}}"#
    #expect(try body(Fixtures.task(address: "10.0.1.7", template: template)) == wanted)
  }

  @Test("what a task was given of its node's generic resources is in its environment, after the spec's own")
  func genericResources() throws {
    var task = Fixtures.task(template: Fixtures.template { $0.containerSpec?.env = ["A=b"] })
    task.genericResources = [.named("NVIDIA-gpu", "u1"), .discrete("fpga", 2), .named("NVIDIA-gpu", "u2")]
    #expect(try body(task).contains(#""Env":["A=b","DOCKER_RESOURCE_NVIDIA-GPU=u1,u2","DOCKER_RESOURCE_FPGA=2"]"#))
  }

  @Test("a predefined network of the spec", arguments: [("host", "host"), ("none", "none"), ("bridge", "0-skep-ingress")])
  func networks(target: String, mode: String) throws {
    let template = Fixtures.template(ports: [Fixtures.webPort]) {
      $0 = (try? spec(#"{"ContainerSpec":{"Image":"web"},"Networks":[{"Target":"\#(target)"}]}"#)) ?? $0
    }
    #expect(try body(Fixtures.task(address: "10.0.1.7", template: template)).contains(#""NetworkMode":"\#(mode)""#))
  }

  @Test("a template that cannot be expanded is an error")
  func template() throws {
    let template = Fixtures.template { $0.containerSpec?.hostname = "{{.Nope}}" }
    let failure = TaskFailure(
      .unresolvable,
      "expanding hostname failed: template: expansion:1: executing \"expansion\" at <.Nope>: can't evaluate field Nope in type struct"
    )
    #expect(throws: failure) { try body(Fixtures.task(template: template)) }
  }

  func json(_ task: String, container: String = "") throws -> JSONValue {
    let comma = container.isEmpty ? "" : ","
    let spec = try spec(#"{"ContainerSpec":{"Image":"web"\#(comma)\#(container)}\#(task.isEmpty ? "" : ",")\#(task)}"#)
    return try JSONValue(parsing: try body(Fixtures.task(template: Fixtures.template { $0 = spec })))
  }

  @Test(
    "what a mount cannot be is said in swarm's words, before the engine is asked",
    arguments: [
      (#"{"Type":"volume","Target":"d"}"#, "invalid mount target, must be an absolute path: d"),
      (#"{"Type":"tmpfs"}"#, "invalid mount target, must be an absolute path: "),
      (#"{"Type":"bind","Source":"s","Target":"/d"}"#, "invalid bind mount source, must be an absolute path: s"),
      (
        #"{"Type":"bind","Source":"{{.Task.ID}}","Target":"/d"}"#,
        "invalid bind mount source, must be an absolute path: {{.Task.ID}}"
      ),
      (#"{"Type":"volume","Source":"/s","Target":"/d"}"#, "invalid volume mount source, must not be an absolute path: /s"),
      (#"{"Type":"tmpfs","Source":"s","Target":"/d"}"#, "invalid tmpfs source, source must be empty"),
    ])
  func mounts(mount: String, expected: String) {
    #expect(throws: TaskFailure(.unresolvable, expected)) { try json("", container: #""Mounts":[\#(mount)]"#) }
  }

  @Test(
    "parts of a spec that reach the host's configuration in a form of their own",
    arguments: [
      (#""LogDriver":{"Options":{"a":"b"}}"#, "", "LogConfig", #"{"Type":"","Config":{"a":"b"}}"#),
      (#""LogDriver":{}"#, "", "LogConfig", "null"), (#""Resources":{"Limits":{"Pids":-1}}"#, "", "PidsLimit", "null"),
      ("", #""Hosts":["10.0.0.1\ta  b","bad"," ::1 c "]"#, "ExtraHosts", #"["a:10.0.0.1","c:::1"]"#),
      (
        "", #""Privileges":{"SELinuxContext":{"Disable":true,"Role":"r"},"Seccomp":{"Mode":"unconfined"}}"#, "SecurityOpt",
        #"["label=disable","label=role:r","seccomp=unconfined"]"#
      ),
      ("", #""Privileges":{"Seccomp":{"Mode":"default"},"AppArmor":{"Mode":"default"}}"#, "SecurityOpt", "null"),
      ("", #""Init":false"#, "Init", "false"),
      (
        "",
        #""Mounts":[{"Type":"bind","Source":"/s","Target":"/d","BindOptions":{"CreateMountpoint":true,"ReadOnlyForceRecursive":true}}]"#,
        "Mounts",
        #"[{"Type":"bind","Source":"/s","Target":"/d","BindOptions":{"CreateMountpoint":true,"ReadOnlyForceRecursive":true}}]"#
      ),
      (
        "",
        #""Mounts":[{"Type":"volume","Source":"s","Target":"/d","VolumeOptions":{"Subpath":"x"}},{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":[["noexec"],["uid","5"]]}}]"#,
        "Mounts",
        #"[{"Type":"volume","Source":"s","Target":"/d","VolumeOptions":{"Subpath":"x"}},{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"Options":[["noexec"],["uid","5"]]}}]"#
      ),
    ])
  func hostConfiguration(task: String, container: String, member: String, expected: String) throws {
    #expect((try json(task, container: container)["HostConfig"]?[member] ?? .null).text == expected)
  }

  @Test(
    "a health check and a grace period of zero are the container's own",
    arguments: [
      (#""StopGracePeriod":0"#, "StopTimeout", "0"), (#""Healthcheck":{"Test":["NONE"]}"#, "Healthcheck", #"{"Test":["NONE"]}"#),
      (#""Healthcheck":{"StartInterval":5000000}"#, "Healthcheck", #"{"StartInterval":5000000}"#),
    ])
  func zeros(container: String, member: String, expected: String) throws {
    #expect((try json("", container: container)[member] ?? .null).text == expected)
  }

  @Test(
    "image references",
    arguments: [
      ("docker.io/library/web", "web:latest"), ("docker.io/team/web:1", "team/web:1"), ("library/web", "web:latest"),
      ("index.docker.io/web@sha256:0", "web@sha256:0"), ("docker.io/library/team/web", "library/team/web:latest"),
      ("r/library/web:1", "r/library/web:1"),
      ("web", "web:latest"), ("web:1", "web:1"), ("r:5000/web", "r:5000/web:latest"), ("r:5000/web:1", "r:5000/web:1"),
      ("web@sha256:0", "web@sha256:0"),
    ])
  func references(text: String, normalized: String) { #expect(ImageReference(text).normalized == normalized) }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineTestKit
import Testing

@testable import NodeAgent

/// The engine of these tests refuses fields that are later than the version it announces.
@Suite("Engines of every version")
struct EngineVersionTests {
  static let minors = Array(41...50)

  static func task(_ container: String, _ rest: String = "") throws -> ClusterTask {
    let json =
      #"{"ContainerSpec":{"Image":"web:1"\#(container.isEmpty ? "" : "," + container)}\#(rest.isEmpty ? "" : "," + rest)}"#
    let spec = try GoJSONDecoder().decode(TaskSpec.self, from: Array(json.utf8))
    return Fixtures.task(address: "10.0.1.7", template: Fixtures.template(ports: [Fixtures.webPort]) { $0 = spec })
  }

  /// Where the task gets to, and its reason.
  static func fate(
    _ task: ClusterTask, minor: Int, reaching goal: TaskState = .running
  ) async throws -> (state: TaskState?, err: String?) {
    let harness = Harness(engine: FakeEngine(apiVersion: "1.\(minor)"))
    await harness.assign(task)
    try await harness.withAgent { _ in
      try await harness.until("runs or ends") { await harness.state().map { $0 >= goal } ?? false }
    }
    return (await harness.state(), await harness.status()?.err)
  }

  @Test("get everything that every engine knows", arguments: minors)
  func everything(minor: Int) async throws {
    let container = #"""
      "Labels":{"a":"b"},"Command":["/bin/web"],"Args":["-v"],"Hostname":"h","Env":["A=b"],"Dir":"/srv","User":"1:2","Groups":["staff"],
      "Init":true,"StopSignal":"SIGINT","TTY":false,"OpenStdin":true,"ReadOnly":true,"StopGracePeriod":1500000000,
      "Hosts":["1.2.3.4 db"],"DNSConfig":{"Nameservers":["9.9.9.9"],"Search":["x"],"Options":["y"]},"Sysctls":{"net.a":"1"},
      "CapabilityAdd":["CAP_A"],"CapabilityDrop":["CAP_B"],"Ulimits":[{"Name":"nofile","Hard":2,"Soft":1}],"OomScoreAdj":5,
      "Privileges":{"SELinuxContext":{"Disable":true},"Seccomp":{"Mode":"custom","Profile":"e30="},"AppArmor":{"Mode":"disabled"},
      "NoNewPrivileges":true},
      "Mounts":[{"Type":"volume","Source":"d","Target":"/d","VolumeOptions":{"NoCopy":true,"Labels":{"s":"t"},
      "DriverConfig":{"Name":"local","Options":{"o":"p"}}}},
      {"Type":"bind","Source":"/s","Target":"/b","ReadOnly":true,"BindOptions":{"Propagation":"rslave","NonRecursive":true}},
      {"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":10,"Mode":448}}]
      """#
    let rest = #"""
      "Resources":{"Limits":{"NanoCPUs":500000000,"MemoryBytes":8000000,"Pids":9},"SwapBytes":24,"MemorySwappiness":0},
      "LogDriver":{"Name":"json-file","Options":{"max-size":"1m"}}
      """#
    let (state, err) = try await Self.fate(try Self.task(container, rest), minor: minor)
    #expect(state == .running && err == "")
  }

  @Test(
    "get what only later ones know never: the task says what it needs",
    arguments: [
      (#""Healthcheck":{"Test":["CMD","true"],"StartInterval":5000000}"#, "Healthcheck.StartInterval", 44),
      (
        #""Mounts":[{"Type":"volume","Source":"d","Target":"/d","VolumeOptions":{"Subpath":"x"}}]"#,
        "VolumeOptions.Subpath of a mount", 45
      ),
      (
        #""Mounts":[{"Type":"tmpfs","Target":"/d","TmpfsOptions":{"Options":[["noexec"]]}}]"#, "TmpfsOptions.Options of a mount",
        46
      ),
    ])
  func later(container: String, field: String, needed: Int) async throws {
    for minor in Self.minors {
      let (state, err) = try await Self.fate(try Self.task(container), minor: minor, reaching: .starting)
      if minor < needed {
        #expect(state == .rejected)
        #expect(err == "\(field) needs an engine with API 1.\(needed), and this node's speaks 1.\(minor)")
      } else {
        #expect(state == .running || state == .starting, "\(err ?? "")")
      }
    }
  }

  @Test("a log driver's options go to the daemon's own driver where none is named")
  func logOptions() throws {
    let body = try ContainerBodyTests().body(try Self.task("", #""LogDriver":{"Options":{"max-size":"1m"}}"#))
    #expect(body.contains(#""LogConfig":{"Type":"","Config":{"max-size":"1m"}}"#))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import SimulationKit
import Testing

@testable import Orchestration

@Suite("What a node must have to run a task")
struct FilterTests {
  private static func plugins(_ list: String) -> NodeDescription.Engine {
    let plugins = list.split(separator: " ").map { entry in
      let parts = entry.split(separator: "/")
      return NodeDescription.Engine.Plugin(type: String(parts[0]), name: String(parts[1]))
    }
    return .init(engineVersion: "20.10.24", plugins: plugins)
  }

  private static func spec(_ json: String) throws -> TaskSpec {
    try GoJSONDecoder().decode(TaskSpec.self, from: Array(json.utf8))
  }

  @Test(
    "drivers of volumes and logs must be there, but for those that are everywhere",
    arguments: [
      (#"{}"#, "", true), (#"{"LogDriver":{"Name":"gelf"}}"#, "Log/gelf Log/json-file", true),
      (#"{"LogDriver":{"Name":"gelf"}}"#, "Log/json-file", false), (#"{"LogDriver":{"Name":"none"}}"#, "Log/json-file", true),
      (#"{"LogDriver":{"Options":{"a":"b"}}}"#, "Log/json-file", true), (#"{"LogDriver":{"Name":"gelf"}}"#, "Volume/local", true),
      (#"{"LogDriver":{"Name":"log"}}"#, "Log/logs:latest", false),
      (#"{"LogDriver":{"Name":"logs"}}"#, "Log/logs:latest", true), (#"{"LogDriver":{"Name":"logs"}}"#, "Log/logs:1", false),
      (Self.mount("volume", "nfs"), "Volume/local", false), (Self.mount("volume", "nfs"), "Volume/local Volume/nfs", true),
      (Self.mount("volume", "nfs"), "Log/nfs", false), (Self.mount("volume", "local"), "Volume/nfs", true),
      (Self.mount("volume", ""), "Volume/nfs", true), (Self.mount("bind", "nfs"), "Volume/local", true),
    ])
  func plugins(spec: String, plugins: String, expected: Bool) throws {
    #expect(RequiredPlugins.areThere(for: try Self.spec(spec), on: Self.plugins(plugins)) == expected)
  }

  private static func mount(_ type: String, _ driver: String) -> String {
    #"{"ContainerSpec":{"Image":"a","Mounts":[{"Type":"\#(type)","Target":"/d","VolumeOptions":{"DriverConfig":{"Name":"\#(driver)"}}}]}}"#
  }

  @Test("a node that has not said what it has is believed to have every driver")
  func undescribed() throws {
    #expect(RequiredPlugins.areThere(for: try Self.spec(#"{"LogDriver":{"Name":"gelf"}}"#), on: nil))
  }

  @Test(
    "platforms have two names, and what is left out fits everywhere",
    arguments: [
      ("", "", "x86_64", true), ("amd64", "linux", "x86_64", true), ("x86_64", "linux", "x86_64", true),
      ("arm64", "linux", "aarch64", true), ("aarch64", "", "arm64", true), ("amd64", "", "aarch64", false),
      ("amd64", "windows", "x86_64", false), ("", "linux", "riscv64", true), ("arm", "linux", "armv7l", false),
    ])
  func platforms(architecture: String, os: String, node: String, expected: Bool) throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.change { $0.description?.platform.architecture = node }
    let placement = #"{"Platforms":[{"Architecture":"\#(architecture)","OS":"\#(os)"}]}"#
    let decoded = try GoJSONDecoder().decode(Placement.self, from: Array(placement.utf8))
    cluster.create { $0.taskTemplate.placement = decoded }
    #expect(cluster.tasks.map(\.status.err) == [expected ? "" : "no suitable node (unsupported platform on 1 node)"])
  }

  @Test("each filter says its reason in swarm's words, the first that refuses a node counting")
  func explanations() throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 7)
    cluster.change("n1") { $0.spec.availability = "drain" }
    cluster.change("n2") { $0.description?.resources.nanoCPUs = 1_000_000_000 }
    cluster.change("n3") { $0.description?.resources.genericResources = nil }
    for id in ["n4", "n5"] { cluster.change(id) { $0.description?.engine.plugins = [.init(type: "Log", name: "journald")] } }
    cluster.change("n6") { $0.spec.labels["zone"] = "b" }
    cluster.change("n7") { $0.description?.platform.os = "windows" }
    let spec = try Self.spec(
      #"{"ContainerSpec":{"Image":"a"},"LogDriver":{"Name":"gelf"},"Placement":{"Constraints":["node.labels.zone!=b"],"#
        + #""Platforms":[{"OS":"linux"}]},"Resources":{"Reservations":{"NanoCPUs":2000000000,"#
        + #""GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":1}}]}}}"#)
    cluster.create { $0.taskTemplate = spec }
    #expect(
      cluster.tasks.map(\.status.err) == [
        "no suitable node (insufficient resources on 2 nodes; missing plugin on 2 nodes; 1 node not available for new tasks; "
          + "scheduling constraints not satisfied on 1 node; unsupported platform on 1 node)"
      ])
  }

  @Test(
    "a task that reserves nothing fits where more is reserved than there is",
    arguments: [(nil, true), (0, true), (1_000_000, false)] as [(Int64?, Bool)])
  func overcommitted(nanoCPUs: Int64?, expected: Bool) throws {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    cluster.change { $0.description?.resources.nanoCPUs = 1_000_000_000 }
    let node = try #require(cluster.store.nodes["n1"])
    let info = NodeInfo(node, tasks: [Self.task(reserving: 4_000_000_000)])
    #expect(Filter.resources.passes(info, TaskDemand(Self.task(reserving: nanoCPUs).template)) == expected)
  }

  private static func task(reserving nanoCPUs: Int64?) -> ClusterTask {
    var spec = TaskSpec(containerSpec: ContainerSpec(image: "a"))
    spec.resources = Resources(reservations: .init(nanoCPUs: nanoCPUs))
    let template = TaskTemplate(
      key: .init(serviceID: "s", specVersion: 1), serviceName: "s", serviceLabels: [:], spec: spec, endpointSpec: nil, ports: [])
    return ClusterTask(
      id: "t", template: template, slot: 1, nodeID: "n1", desiredState: .running,
      status: TaskStatus(state: .running, timestamp: .zero, message: ""), createdAt: .zero)
  }

  @Test("a global service's own task does not stand in its way, and another's does", arguments: [8_080, 8_081])
  func globalHostPort(other: UInt32) {
    var cluster = SimulatedCluster(seed: 1, nodes: 1)
    let port = PortConfig(targetPort: 80, publishedPort: 8_080, publishMode: "host")
    cluster.write { transaction in
      var service = ClusterLifeTests.service("other", replicas: 1, port: nil)
      service.spec.endpointSpec = EndpointSpec(ports: [PortConfig(targetPort: 80, publishedPort: other, publishMode: "host")])
      transaction.put(service)
    }
    cluster.create { spec in
      spec.mode = .global
      spec.endpointSpec = EndpointSpec(ports: [port])
      spec.taskTemplate.placement = Placement(maxReplicas: 1)
      spec.taskTemplate.resources = Resources(reservations: .init(nanoCPUs: 5_000_000_000))
    }
    let isTaken = other == 8_080
    #expect(cluster.tasks.map(\.status.err) == [isTaken ? "host-mode port already in use on 1 node" : ""])
    #expect(cluster.tasks.map(\.state) == [isTaken ? .pending : .assigned])
    #expect(
      cluster.tasks.map(\.status.message) == [
        isTaken ? "pending task scheduling" : "scheduler confirmed task can run on preassigned node"
      ])
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import EngineClient
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("Overlay networks on a node")
struct OverlayTests {
  private static func network(_ id: String, _ third: UInt32, isInternal: Bool = false) -> OverlayNetwork {
    let subnet = IPv4Subnet(base: IPv4Address(bits: 0x0A01_0000 + third << 8), prefix: 24)
    return OverlayNetwork(
      id: id, name: "net-\(id)", tunnel: 4_097 + third, subnet: subnet, gateway: subnet.gateway, isInternal: isInternal,
      labels: ["a": "b"], options: ["x": "y"])
  }

  private static func task(ingress: String? = nil, nameservers: String = "[]") throws -> ClusterTask {
    let json =
      #"{"ContainerSpec":{"Image":"web:1","DNSConfig":{"Nameservers":\#(nameservers)}},"#
      + #""Networks":[{"Target":"one"},{"Target":"two"}]}"#
    let spec = try GoJSONDecoder().decode(TaskSpec.self, from: Array(json.utf8))
    var task = Fixtures.task(
      address: ingress, template: Fixtures.template(ports: ingress == nil ? [] : [Fixtures.webPort]) { $0 = spec })
    task.addresses = ["one", "two"].enumerated().map { place, id in
      NetworkAddress(networkID: id, address: IPv4Address(bits: 0x0A01_0005 + UInt32(place) << 8))
    }
    return task
  }

  private static func places(version: String = "1.41") throws -> [OverlayPlace] {
    zip([network("one", 0), network("two", 1, isInternal: true)], try task().addresses).map {
      OverlayPlace(network: $0, address: $1.address, version: version)
    }
  }

  @Test("a container is made on the first of its networks, and asks for names there; the others come later")
  func body() throws {
    let context = TemplateContext(task: try Self.task(), hostname: "h", platform: ContainerBodyTests.platform)
    let body = ContainerBody(
      task: try Self.task(nameservers: #"["9.9.9.9"]"#), clusterID: "c", context: context, places: try Self.places())
    let json = try body.json()
    #expect(json["HostConfig"]?["NetworkMode"] == "net-one" && json["HostConfig"]?["Dns"] == ["10.1.0.1"])
    #expect(
      json["NetworkingConfig"]?.text
        == #"{"EndpointsConfig":{"net-one":{"IPAMConfig":{"IPv4Address":"10.1.0.5"}}}}"#)
    #expect(try Self.places(version: "1.44").map(\.settings["MacAddress"]) == ["02:42:0a:01:00:05", "02:42:0a:01:01:05"])
    #expect(body.laterPlaces.map(\.network.id) == ["two"])
    let published = ContainerBody(
      task: try Self.task(ingress: "10.0.1.2"), clusterID: "c", context: context, places: try Self.places())
    #expect(try published.json()["HostConfig"]?["NetworkMode"] == "0-skep-ingress")
    #expect(published.laterPlaces.map(\.network.id) == ["one", "two"])
  }

  @Test("its bridge is called after the tunnel, takes packets that the tunnel takes, and carries what the user wrote")
  func bridge() throws {
    let wanted =
      #"{"Name":"net-two","Driver":"bridge","CheckDuplicate":true,"Internal":true,"#
      + #""IPAM":{"Driver":"default","Config":[{"Subnet":"10.1.1.0/24","Gateway":"10.1.1.1"}]},"#
      + #""Options":{"com.docker.network.bridge.name":"skep-n4098","com.docker.network.driver.mtu":"1450"},"#
      + #""Labels":{"a":"b","skep.cluster":"c","skep.network":"two"}}"#
    let network = Self.network("two", 1, isInternal: true)
    #expect(OverlayBridge.body(of: network, clusterID: "c", mtu: 1_450).text == wanted)
    var smaller = network
    smaller.options["com.docker.network.driver.mtu"] = "1200"
    let options = OverlayBridge.body(of: smaller, clusterID: "c", mtu: 1_450)["Options"]
    #expect(options?["com.docker.network.driver.mtu"] == "1200")
  }

  @Test("what is left of networks that are gone makes way; what is not the cluster's does not")
  func verdicts() throws {
    func found(_ name: String, _ subnet: String, _ id: String?, bridge: String = "") throws -> EngineNetwork {
      let json: JSONValue = [
        "Id": .string("engine-\(name)"), "Name": .string(name), "IPAM": ["Config": [["Subnet": .string(subnet)]]],
        "Labels": id.map { [Labels.network: .string($0)] } ?? [:], "Options": [Network.bridgeOption: .string(bridge)],
      ]
      return try GoJSONDecoder().decode(EngineNetwork.self, from: json)
    }
    let network = Self.network("one", 0)
    let others = [
      try found("other", "10.7.0.0/24", "seven", bridge: "skep-n4200"), try found("bridge", "172.17.0.0/16", nil),
    ]
    #expect(OverlayBridge.verdict(on: network, found: others) == .create(removing: []))
    #expect(OverlayBridge.verdict(on: network, found: others + [try found("x", "10.1.0.0/24", "one")]) == .fits)
    let old = [
      try found("net-one", "10.8.0.0/24", "old"), try found("a", "10.1.0.0/16", "older"),
      try found("b", "10.9.0.0/24", "oldest", bridge: "skep-n4097"),
    ]
    #expect(
      OverlayBridge.verdict(on: network, found: others + old)
        == .create(removing: ["engine-net-one", "engine-a", "engine-b"]))
    let start = "network net-one cannot be made on this node: the network"
    #expect(
      OverlayBridge.verdict(on: network, found: [try found("net-one", "10.8.0.0/24", nil)])
        == .unusable(reason: "\(start) net-one there, which is not the cluster's, has the name"))
    #expect(
      OverlayBridge.verdict(on: network, found: [try found("lan", "10.1.0.0/16", nil)])
        == .unusable(reason: "\(start) lan there, which is not the cluster's, has addresses of 10.1.0.0/24"))
  }

  @Test("a task's bridges are made, its container connected and looked after while it runs, and what nobody uses goes")
  func life() async throws {
    let harness = Harness()
    let task = try Self.task(nameservers: #"["9.9.9.9"]"#)
    await harness.dispatcher.assign { dispatcher in
      dispatcher.tasks[task.id] = task
      dispatcher.networks = [Self.network("one", 0), Self.network("two", 1)]
    }
    try await harness.withAgent { _ in
      try await harness.until("runs") { await harness.state() == .running }
      try await harness.until("is looked after") {
        await harness.networks.attended.last?.map { "\($0.id) \($0.nameservers)" } == [#"task1 ["9.9.9.9"]"#]
      }
      #expect(await harness.networks.overlays.last?.map(\.id) == ["one", "two"])
      #expect(await harness.networks.bridgeChanges > 0)
      let name = task.name
      let calls = await harness.engine.calls
      #expect(
        calls == [
          "pull web:1", "create network net-one", "create network net-two", "create \(name)", "connect net-two", "start \(name)",
        ])
      await harness.dispatcher.assign { dispatcher in
        dispatcher.tasks = [:]
        dispatcher.networks = []
      }
      try await harness.until("is not any more") { await harness.networks.attended.last == [] }
      try await harness.until("the node's parts of the networks are gone") {
        await harness.engine.calls.suffix(2) == ["remove network net-one", "remove network net-two"]
      }
    }
  }

  @Test("a container that is no task is put on a network, looked after while it runs, and told of")
  func guest() async throws {
    let harness = Harness()
    let (network, address) = (Self.network("one", 0), IPv4Address(bits: 0x0A01_0009))
    await harness.dispatcher.assign { $0.attachments = ["net-one": .init(network: network, address: address)] }
    try await harness.withAgent { agent in
      try await harness.until("has its engine") { await agent.calls != nil }
      let place = try await agent.attach(.init(container: "key", network: "net-one"))
      #expect(place == AttachedPlace(engineName: "net-one", address: address, gateway: network.gateway))
      await #expect(throws: RPCFailure.self) { try await agent.attach(.init(container: "key", network: "none")) }
      let id = try await harness.engine.createContainer(
        name: "mine",
        config: [
          "Image": "web:1", "Labels": [Labels.attachment: "key", Labels.nameservers: "9.9.9.9 1.1.1.1"],
          "HostConfig": ["NetworkMode": "net-one"],
        ]
      ).id
      try await harness.engine.startContainer(id)
      try await harness.until("is told of") {
        await harness.dispatcher.attached.last
          == NodeMessage.AttachedContainers(names: ["key": ["mine", String(id.prefix(12))]], networks: ["key": ["one"]])
      }
      try await harness.until("is looked after") {
        await harness.networks.attended.last?.map { "\($0.id) \($0.nameservers)" } == [#"key ["9.9.9.9", "1.1.1.1"]"#]
      }
      // Its network is not taken for one that nobody uses.
      await agent.removeUnusedOverlays()
      #expect(await !harness.engine.calls.contains("remove network net-one"))
      // Two changes, of which only the second is news to the managers.
      try await harness.engine.stopContainer(id, timeout: 0)
      try await harness.until("is looked after no more") { await harness.networks.attended.last == [] }
      await agent.forgetAttaching()
      try await harness.engine.removeContainer(id, force: true, volumes: false)
      try await harness.until("is told of no more") { await harness.dispatcher.attached.last == .init() }
    }
  }

  @Test("a task without its addresses, and one of a network that the node was not told of, are refused")
  func missing() async throws {
    let harness = Harness()
    var task = try Self.task()
    await harness.assign(task)
    try await harness.withAgent { _ in
      try await harness.until("is refused") { await harness.state() == .rejected }
    }
    #expect(await harness.status()?.err == "network one not found")
    let other = Harness()
    task.addresses = []
    await other.assign(task)
    try await other.withAgent { _ in try await other.until("is refused") { await other.state() == .rejected } }
    #expect(await other.status()?.err == "node is missing network attachments, ip addresses may be exhausted")
  }
}

extension NodeAgent {
  /// As if it had been restarted meanwhile.
  fileprivate func forgetAttaching() { attaching = [:] }
}

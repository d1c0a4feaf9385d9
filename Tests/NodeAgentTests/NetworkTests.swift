// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Testing

@testable import NodeAgent

@Suite("The ingress network")
struct NetworkTests {
  func network(subnet: String, labelled: Bool = true, used: Bool = false) throws -> EngineNetwork {
    let json: JSONValue = [
      "IPAM": ["Config": [["Subnet": .string(subnet)]]], "Labels": labelled ? [Labels.cluster: "cluster1"] : [:],
      "Containers": used ? ["c1": [:]] : [:],
    ]
    return try GoJSONDecoder().decode(EngineNetwork.self, from: json)
  }

  @Test("is made, kept, made anew, or refused with the reason")
  func verdicts() throws {
    let subnet = try #require(IPv4Subnet("10.0.1.0/24"))
    #expect(IngressNetwork.verdict(nil, subnet: subnet, clusterID: "cluster1") == .create)
    #expect(
      IngressNetwork.verdict(try network(subnet: "10.0.1.0/24", used: true), subnet: subnet, clusterID: "cluster1") == .fits)
    #expect(IngressNetwork.verdict(try network(subnet: "10.0.2.0/24"), subnet: subnet, clusterID: "cluster1") == .recreate)
    #expect(IngressNetwork.verdict(try network(subnet: "10.0.1.0/24"), subnet: subnet, clusterID: "cluster2") == .recreate)
    let shared = try network(subnet: "10.0.1.0/24", used: true)
    #expect(IngressNetwork.verdict(shared, subnet: subnet, clusterID: "cluster2") == .fits)
    let used = "network 0-skep-ingress has subnet 10.0.2.0/24 instead of 10.0.1.0/24, and 1 containers use it"
    #expect(
      IngressNetwork.verdict(try network(subnet: "10.0.2.0/24", used: true), subnet: subnet, clusterID: "cluster1")
        == .unusable(reason: used))
    let foreign = "network 0-skep-ingress exists and was not made by Skep: it has no label skep.cluster"
    let unlabelled = try network(subnet: "10.0.1.0/24", labelled: false)
    #expect(IngressNetwork.verdict(unlabelled, subnet: subnet, clusterID: "cluster1") == .unusable(reason: foreign))
  }

  @Test(
    "its body says how large packets may be, and lets other hosts in where engines shut them out",
    arguments: [
      (nil, "1.41", ""), (1_450, "1.47", #","com.docker.network.driver.mtu":"1450""#),
      (
        1_450, "1.48",
        #","com.docker.network.driver.mtu":"1450","com.docker.network.bridge.gateway_mode_ipv4":"nat-unprotected""#
      ),
    ] as [(UInt32?, String, String)])
  func body(_ mtu: UInt32?, _ version: String, _ options: String) throws {
    let wanted =
      #"{"Name":"0-skep-ingress","Driver":"bridge","CheckDuplicate":true,"#
      + #""IPAM":{"Driver":"default","Config":[{"Subnet":"10.0.1.0/24","Gateway":"10.0.1.1"}]},"#
      + #""Options":{"com.docker.network.bridge.name":"skep-ingress"OPTIONS},"Labels":{"skep.cluster":"cluster1"}}"#
    let subnet = try #require(IPv4Subnet("10.0.1.0/24"))
    let body = IngressNetwork.body(subnet: subnet, clusterID: "cluster1", mtu: mtu, version: version)
    #expect(body.text == wanted.replacing("OPTIONS", with: options))
  }

  @Test("a published task without an address is rejected")
  func noAddress() async throws {
    let harness = Harness()
    await harness.assign(Fixtures.task(template: TaskControllerTests.published))
    try await harness.withAgent { _ in
      try await harness.until("rejected") { await harness.state() == .rejected }
    }
    #expect(await harness.status()?.err == "node is missing network attachments, ip addresses may be exhausted")
  }

  @Test("host-mode ports are reported as the engine gave them; a fixed address that is taken is a reason")
  func ports() async throws {
    let harness = Harness()
    let host = Fixtures.template(ports: [PortConfig(targetPort: 80, publishedPort: nil, publishMode: "host")])
    let ingress = TaskControllerTests.published
    await harness.assign(
      Fixtures.task(template: host), Fixtures.task("task2", slot: 2, address: "10.0.1.2", template: ingress))
    try await harness.withAgent { _ in
      try await harness.until("both run") {
        let states = [await harness.state("task1"), await harness.state("task2")]
        return states == [.running, .running]
      }
      await harness.assign(Fixtures.task("task3", slot: 3, address: "10.0.1.2", template: ingress))
      try await harness.until("failed") { await harness.state("task3") == .failed }
    }
    let wanted = PortConfig(targetPort: 80, publishedPort: 32768, protocol: "tcp", publishMode: "host")
    #expect(await harness.status()?.hostPorts == [wanted])
    #expect(await harness.status("task3")?.err == "starting container failed: Address already in use")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Glibc
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("What goes through the mesh")
struct MeshTrafficTests {
  /// Both hosts carry connections to their port 80 to port 80 of the task at 10.0.1.5, which is on the second.
  private static let rules = OffloadRules(
    EndpointTable(
      generation: 1,
      listeners: [
        Listener(
          id: "s/80/tcp", port: 80, transport: .tcp, strategy: .roundRobin, mayOffload: true,
          endpoints: [Endpoint(id: "t", address: IPv4Address(bits: 0x0A00_0105), port: 80, state: .ready)])
      ]), inside: [HostPair.mesh(of: 0).pool], interfaces: ["skep-ingress", MeshPlan.device])

  @Test(
    "is between ingress containers, to published ports, and the answers; other networks' containers do not reach a task by it")
  func strangers() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try HostPair()
      for host in 0...1 {
        try pair.bridge("skep-ingress", "10.0.\(host).1/24", on: host)
        try pair.on(host) {
          try MeshKernel(bridge: "skep-ingress").ensure(MeshPlan(mesh: HostPair.mesh(of: host), bridge: "skep-ingress"))
          try OffloadKernel().ensure(Self.rules)
        }
      }
      try pair.bridge("other", "172.30.0.1/24", on: 0)
      let task = try pair.container("10.0.1.5", bridge: "skep-ingress", on: 1)
      let neighbour = try pair.container("10.0.0.5", bridge: "skep-ingress", on: 0)
      let stranger = try pair.container("172.30.0.5", bridge: "other", on: 0)
      #expect(try TestNetwork.isAlive("10.0.1.5", in: neighbour) && TestNetwork.isAlive("10.0.0.5", in: task))
      #expect(try TestNetwork.isAlive("10.77.0.1", in: stranger) && !TestNetwork.isAlive("10.0.1.5", in: stranger))

      let client = try pair.client()
      let listener = TestSocket(try TestNetwork.listen("10.0.1.5", isTCP: true, in: task))
      let connection = try TestNetwork.connect("192.0.2.1", in: client)
      let accepted = TestSocket(accept(listener.descriptor, nil, nil))
      #expect(connection.send() == 1 && accepted.receive() == 1 && accepted.send() == 1 && connection.receive() == 1)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import Orchestration

@Suite("Rotation of the root")
struct RootRotatorTests {
  private static let rotation = RootRotation(certificate: "new", crossSigned: "link", digest: Array(repeating: 9, count: 32))
  private static let cluster: Cluster = {
    var cluster = Cluster(
      id: "c1", spec: .defaults, createdAt: .zero, joinTokens: .init(worker: "old", manager: "old"), trustRoot: "old",
      defaultAddrPool: [], subnetSize: 24, dataPathPort: 4_789, ingressPool: IPv4Subnet(base: IPv4Address(bits: 0), prefix: 16))
    cluster.rotation = rotation
    return cluster
  }()

  private static func node(_ id: String, tls: NodeTLS?, isManager: Bool = false, _ state: NodeStatus.State = .ready) -> Node {
    var node = Node(
      id: id, spec: NodeSpec(role: "worker", availability: "active"), status: NodeStatus(state: state, addr: ""), createdAt: .zero
    )
    node.description = NodeDescription(
      hostname: id, platform: .init(architecture: "", os: ""), resources: .init(nanoCPUs: 0, memoryBytes: 0),
      engine: .init(engineVersion: ""))
    node.description?.tls = tls
    if isManager { node.managerAddr = "m:2377" }
    return node
  }

  private static func after(_ nodes: [Node]) throws -> Cluster? {
    var store = ClusterStore()
    var transaction = Transaction(over: store)
    transaction.put(cluster)
    for node in nodes { transaction.put(node) }
    var generator = SystemRandomNumberGenerator()
    RootRotator.finish(cluster, in: &transaction, now: Now(wall: .zero, uptime: .zero), generator: &generator)
    for (version, proposal) in try transaction.batchedProposals().enumerated() {
      store.apply(proposal, version: UInt64(version + 1))
    }
    return store.cluster
  }

  private static let done = NodeTLS(trustRoot: "oldnew", issuer: "new")

  @Test(
    "it ends when every node has its certificate from the new root, and not before",
    arguments: [
      ([node("m", tls: nil, isManager: true)], true),
      ([node("m", tls: nil, isManager: true), node("a", tls: done), node("b", tls: done)], true),
      ([node("a", tls: done), node("b", tls: NodeTLS(trustRoot: "oldnew", issuer: "old"))], false),
      ([node("a", tls: done), node("b", tls: nil)], false),
      ([node("a", tls: done), node("b", tls: NodeTLS(trustRoot: "old", issuer: "old"), .down)], false),
    ])
  func end(nodes: [Node], isOver: Bool) throws {
    let cluster = try #require(try Self.after(nodes))
    #expect((cluster.rotation == nil) == isOver)
    #expect(cluster.trustRoot == (isOver ? "new" : "old"))
    for token in [cluster.joinTokens.worker, cluster.joinTokens.manager] {
      #expect(JoinToken.matches(token, digest: Self.rotation.digest) == isOver)
    }
    #expect(!isOver || cluster.joinTokens.worker != cluster.joinTokens.manager)
  }
}

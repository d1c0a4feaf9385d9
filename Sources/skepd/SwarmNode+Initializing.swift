// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterTransport
import EngineAPI
import EngineClient
import Identity
import Manager
import StoreSQLite

// `docker swarm init`.
extension SwarmNode {
  func systemAddresses() throws -> [SystemAddress] {
    let all = try HostAddresses.all()
    guard let advertiseAddress else { return all }
    // The operator's choice stands for the host's only address, by value or by interface.
    return all.map { address in
      var address = address
      address.isOutranked = address.address != advertiseAddress && address.interface != advertiseAddress
      return address
    }
  }

  func initialize(_ request: SwarmInit) async throws -> String {
    try beginChange()
    defer { isChanging = false }
    guard case .inactive = state else { throw StateError(description: "this host is in a swarm already") }
    let now = SystemClock.now()
    let authority = try CertificateAuthority.make(now: Double(now.wall.nanoseconds / 1_000_000_000))
    var generator = SystemRandomNumberGenerator()
    let cluster = Self.cluster(request, authority, now, &generator)
    // The agent tells it too, a moment later: whoever names the node right after this finds it.
    let description = (try? await engine.info()).map { NodeDescription($0) }
    let node = Self.node(request, description, now, &generator)
    do {
      try directory.writeKey(authority.keyPEM)
      let sealer = try directory.makeSealingKey()
      // Seconds leave a million versions each, so a new store starts above all numbers of an earlier one.
      let epoch = UInt64(now.wall.nanoseconds / 1_000_000_000) << 20
      let store = try await followed(
        Store(backend: try await SQLiteBackend.create(directory: directory.path, epochBase: epoch)))
      try await store.transaction { transaction in
        transaction.put(cluster)
        transaction.put(node)
      }
      try directory.rememberCluster(cluster.id)
      try directory.write(listenAddress: HostPort.join(request.addresses.listenHost, request.addresses.port))
      begin(store, clusterID: cluster.id, nodeID: node.id, address: request.addresses.advertiseHost, sealer: sealer)
    } catch {
      try? directory.erase()
      throw error
    }
    await tellOfStrangers(own: cluster.id)
    await (runtime as? SwarmRuntime)?.untilListening()
    logger.info("swarm initialized", metadata: ["cluster": "\(cluster.id)", "node": "\(node.id)"])
    return node.id
  }

  private static func cluster(
    _ request: SwarmInit, _ authority: CertificateAuthority, _ now: Now, _ generator: inout SystemRandomNumberGenerator
  ) -> Cluster {
    let worker = JoinToken.make(digest: authority.digest, using: &generator)
    let manager = JoinToken.make(digest: authority.digest, using: &generator)
    return Cluster(
      id: Identifier.make(using: &generator), spec: request.spec, createdAt: now.wall,
      joinTokens: .init(worker: "\(worker)", manager: "\(manager)"), trustRoot: authority.certificatePEM,
      defaultAddrPool: request.pools.pools, subnetSize: request.pools.subnetSize, dataPathPort: request.pools.dataPathPort,
      ingressPool: ingressPool(request.pools))
  }

  /// The first /16 of the first address pool: 10.0.0.0/16 unless the user chose another with `--default-addr-pool`.
  private static func ingressPool(_ pools: AddressPools) -> IPv4Subnet {
    let first = pools.pools.first.flatMap { IPv4Subnet($0) } ?? IPv4Subnet(base: IPv4Address(bits: 0x0A00_0000), prefix: 8)
    return IPv4Subnet(base: first.base, prefix: max(first.prefix, min(16, pools.subnetSize)))
  }

  private static func node(
    _ request: SwarmInit, _ description: NodeDescription?, _ now: Now, _ generator: inout SystemRandomNumberGenerator
  ) -> Node {
    var node = Node(
      id: Identifier.make(using: &generator), spec: NodeSpec(role: "manager", availability: request.availability),
      status: NodeStatus(state: .unknown, addr: request.addresses.advertiseHost), createdAt: now.wall)
    node.description = description ?? node.description
    node.managerAddr = "\(request.addresses.advertiseHost):\(request.addresses.advertisePort)"
    if request.addresses.dataPathHost != request.addresses.advertiseHost { node.dataPathAddr = request.addresses.dataPathHost }
    return node
  }
}

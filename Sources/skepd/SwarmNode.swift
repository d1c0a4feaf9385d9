// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import ClusterTransport
import DataPlane
import EngineAPI
import EngineClient
import Identity
import Logging
import Manager
import Netfilter
import NodeAgent
import StoreSQLite

/// This host's place in a swarm: makes one, finds the one it is in after a restart, and leaves it.
actor SwarmNode: SwarmControl {
  var state = SwarmState.inactive
  let directory: StateDirectory
  let engine: any Engine
  let relay: RelaySupervisor
  let events: EventLog
  private let advertiseAddress: String?
  let logger: Logger
  var runtime: (any NodeRuntime)?
  private(set) var isChanging = false
  private var isRestored = false
  private static let leaveRetry = Duration.seconds(2)
  /// One at a time: a swarm must be left before the next begins.
  private let (runtimes, startRuntime) = AsyncStream.makeStream(of: (any NodeRuntime).self, bufferingPolicy: .bufferingOldest(1))

  init(
    directory: StateDirectory, engine: any Engine, relay: RelaySupervisor, events: EventLog, advertiseAddress: String?,
    logger: Logger
  ) {
    self.directory = directory
    self.engine = engine
    self.relay = relay
    self.events = events
    self.advertiseAddress = advertiseAddress
    self.logger = logger
  }

  /// Certainly not in a swarm, nor on the way into or out of one.
  var isAlone: Bool { if case .inactive = state, isRestored, !isChanging { true } else { false } }

  /// Runs the swarm this host is in, or comes to be in, until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.retryLeaving() }
      for await runtime in runtimes { group.addTask { await runtime.run() } }
      group.cancelAll()
    }
  }

  /// Takes up what the state directory holds. Damage makes the state `failed` with the reason; it never becomes a new swarm.
  func restore() async {
    defer { isRestored = true }
    for file in directory.tightenPermissions() {
      logger.warning("others could read or write a file with secrets; now only its owner can", metadata: ["file": "\(file)"])
    }
    if directory.isLeaving { return await finishLeaving() }
    if directory.hasMembership { return await restoreWorker() }
    guard SQLiteBackend.exists(directory: directory.path) || directory.clusterID != nil else {
      return await tellOfStrangers(own: nil)
    }
    do {
      let store = try await followed(Store(backend: try await SQLiteBackend.open(directory: directory.path)))
      guard let cluster = await store.read({ $0.cluster }),
        let node = await store.read({ $0.nodes.values.first(where: \.isManager) })
      else {
        logger.warning("an unfinished swarm init is undone")
        return try directory.erase()
      }
      try directory.rememberCluster(cluster.id)
      if let problem = directory.keyProblem(certificate: cluster.trustRoot) {
        logger.error(
          "the swarm's certificate authority cannot be used: services run on, no other host can join; restore ca.key from a backup",
          metadata: ["problem": "\(problem)"])
      }
      let sealer = await directory.sealer(for: store, logger: logger)
      begin(
        store, clusterID: cluster.id, nodeID: node.id, address: node.status.addr, sealer: sealer,
        authority: directory.authority(certificate: cluster.trustRoot))
      await tellOfStrangers(own: cluster.id)
    } catch {
      logger.critical("the swarm's state cannot be used", metadata: ["error": "\(error)"])
      state = .failed("\(error)")
    }
  }

  /// Containers that no state speaks of any more: nobody looks after them, and only their owner can say that they may go.
  func tellOfStrangers(own: String?) async {
    let clusters = (try? await clustersOnEngine()) ?? []
    for cluster in clusters.subtracting([own ?? ""]).sorted() {
      logger.warning(
        """
        containers or networks of another cluster are on this engine: its state was lost, or belongs to another skepd; restore it, or \
        remove them
        """,
        metadata: ["filter": "label=skep.cluster=\(cluster)"])
    }
  }

  /// Before anything is written, so that the first events are those of the swarm's own making.
  private func followed(_ store: Store) async -> Store {
    await events.follow(store) { SystemClock.now().wall }
    return store
  }

  private func begin(
    _ store: Store, clusterID: String, nodeID: String, address: String, sealer: any Sealer, authority: CertificateAuthority?
  ) {
    let swarm = ActiveSwarm(store: store, clusterID: clusterID, nodeID: nodeID, address: address, sealer: sealer)
    let listen = directory.listenAddress.flatMap(HostPort.split) ?? ("0.0.0.0", SwarmAddresses.defaultPort)
    begin(
      SwarmRuntime(
        swarm: swarm, authority: authority, listen: listen, engine: engine, relay: relay, logger: logger))
    state = .active(swarm)
  }

  func begin(_ runtime: any NodeRuntime) {
    self.runtime = runtime
    startRuntime.yield(runtime)
  }
}

extension SwarmNode {
  func systemAddresses() throws -> [SystemAddress] {
    let all = try HostAddresses.all()
    guard let advertiseAddress else { return all }
    // The operator's choice stands for the host's only address, by value or by interface.
    return all.filter { $0.address == advertiseAddress || $0.interface == advertiseAddress }
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
      begin(
        store, clusterID: cluster.id, nodeID: node.id, address: request.addresses.advertiseHost, sealer: sealer,
        authority: authority)
    } catch {
      try? directory.erase()
      throw error
    }
    await tellOfStrangers(own: cluster.id)
    logger.info("swarm initialized", metadata: ["cluster": "\(cluster.id)", "node": "\(node.id)"])
    return node.id
  }

  func endChange() { isChanging = false }

  func beginChange() throws {
    guard !isChanging else { throw StateError(description: "another swarm init, join or leave is under way") }
    isChanging = true
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
    return node
  }
}

extension SwarmNode {
  func leave(force: Bool) async throws {
    try beginChange()
    defer { isChanging = false }
    if let runtime {
      try directory.beginLeaving(clusterID: runtime.clusterID)
      state = .pending
      await runtime.stop(isLeaving: true)
      self.runtime = nil
    } else if !directory.isLeaving {
      try directory.beginLeaving(clusterID: directory.clusterID ?? "")
    }
    do { try await eraseSwarm() } catch {
      state = .failed("leaving the swarm is not finished: \(error)")
      throw error
    }
  }

  /// A leave that a crash or an absent engine interrupted.
  private func finishLeaving() async {
    do { try await eraseSwarm() } catch {
      state = .failed("leaving the swarm is not finished: \(error)")
      logger.error("leaving the swarm is not finished", metadata: ["error": "\(error)"])
    }
  }

  /// What an engine that was away kept from being finished.
  private func retryLeaving() async {
    while (try? await Task.sleep(for: Self.leaveRetry)) != nil {
      guard isRestored, !isChanging, case .failed = state, directory.isLeaving else { continue }
      isChanging = true
      try? await eraseSwarm()
      isChanging = false
    }
  }

  private func eraseSwarm() async throws {
    let known = directory.leavingClusterID
    for clusterID in known.isEmpty ? try await clustersOnEngine() : [known] {
      try await NodeAgent.leave(engine: engine, clusterID: clusterID, clock: .system)
    }
    try await relay.shutdownRelay()
    try SourceKeeper.removeRules(bridge: IngressNetwork.bridge)
    try directory.erase()
    state = .inactive
    logger.info("left the swarm")
  }

  /// Whose containers this host's engine holds: an engine serves one skepd, so all of them are to go.
  private func clustersOnEngine() async throws -> Set<String> {
    let containers = try await engine.containers(all: true, labels: [Labels.cluster]).compactMap { $0.labels[Labels.cluster] }
    let networks = try await engine.networks(filters: ["label": [Labels.cluster]]).compactMap { $0.value.labels[Labels.cluster] }
    return Set(containers + networks)
  }

  func logSource(forNode id: String) -> (any TaskLogSource)? {
    runtime?.logSource(forNode: id)
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import ClusterTransport
import DataPlane
import EngineAPI
import EngineClient
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
  let files: HostTaskFiles
  let events: EventLog
  let advertiseAddress: String?
  let logger: Logger
  var runtime: (any NodeRuntime)?
  var isChanging = false
  private(set) var isRestored = false
  /// One at a time: a swarm must be left before the next begins.
  private let (runtimes, startRuntime) = AsyncStream.makeStream(of: (any NodeRuntime).self, bufferingPolicy: .bufferingOldest(1))

  init(
    directory: StateDirectory, engine: any Engine, relay: RelaySupervisor, files: HostTaskFiles, events: EventLog,
    advertiseAddress: String?,
    logger: Logger
  ) {
    self.directory = directory
    self.engine = engine
    self.relay = relay
    self.files = files
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
      begin(store, clusterID: cluster.id, nodeID: node.id, address: node.status.addr, sealer: sealer)
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
  func followed(_ store: Store) async -> Store {
    await events.follow(store) { SystemClock.now().wall }
    return store
  }

  func begin(
    _ store: Store, clusterID: String, nodeID: String, address: String, sealer: any Sealer
  ) {
    let authority = ClusterAuthority(directory: directory, clusterID: clusterID)
    let swarm = ActiveSwarm(
      store: store, clusterID: clusterID, nodeID: nodeID, address: address, sealer: sealer, roots: authority)
    let listen = directory.listenAddress.flatMap(HostPort.split) ?? ("0.0.0.0", SwarmAddresses.defaultPort)
    begin(
      SwarmRuntime(
        swarm: swarm, authority: authority, listen: listen, engine: engine, relay: relay, files: files,
        logger: logger))
    state = .active(swarm)
  }

  func begin(_ runtime: any NodeRuntime) {
    self.runtime = runtime
    startRuntime.yield(runtime)
  }

  func endChange() { isChanging = false }

  func beginChange() throws {
    guard !isChanging else { throw StateError(description: "another swarm init, join or leave is under way") }
    isChanging = true
  }

  func attach(_ request: NodeMessage.AttachRequest) async throws -> AttachedPlace {
    guard let agent = runtime?.agent else { throw RPCFailure(.unavailable, "this node is in no swarm") }
    return try await agent.attach(request)
  }

  func logSource(forNode id: String) -> (any TaskLogSource)? {
    runtime?.logSource(forNode: id)
  }
}

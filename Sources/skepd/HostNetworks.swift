// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import DataPlane
import EngineClient
import Logging
import Netfilter
import NodeAgent
import Overlay
import Synchronization

/// What of this host's network is kept as the managers say: the tunnels to other hosts, overlay networks, the rules that keep clients'
/// addresses, and what the packet filter carries.
final class HostNetworks: NodeNetworks {
  private static let bridge = IngressNetwork.bridge
  private static let answering = [bridge, MeshPlan.device]

  private let mesh = Mutex<Mesh?>(nil)
  private let destinations = Mutex<Set<IPv4Address>>([])
  /// Of the containers that ours share an overlay network with.
  private let neighbours = Mutex<Set<String>>([])
  private let silent: AsyncStream<Set<IPv4Subnet>>
  private let tellSilent: AsyncStream<Set<IPv4Subnet>>.Continuation
  private let keeper: MeshKeeper
  private let overlays: HostOverlays
  private let offload: OffloadKeeper
  private let prober: PeerProber
  private let engine: any Engine
  private let relay: RelaySupervisor
  private let logger: Logger

  init(engine: any Engine, relay: RelaySupervisor, logger: Logger) {
    self.engine = engine
    self.relay = relay
    self.logger = logger
    (silent, tellSilent) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    keeper = MeshKeeper(bridge: Self.bridge, logger: logger)
    overlays = HostOverlays(logger: logger)
    offload = OffloadKeeper(interfaces: Self.answering, logger: logger)
    prober = PeerProber(logger: logger)
  }

  func want(_ mesh: Mesh?, _ overlays: [OverlayNetwork]) async {
    self.mesh.withLock { $0 = mesh }
    await keeper.want(mesh)
    await self.overlays.want(overlays, mesh)
    neighbours.withLock { $0 = Set(overlays.flatMap { $0.endpoints.map(\.nodeID) }) }
    watchPeers()
  }

  func bridgesChanged() async { await overlays.bridgesChanged() }
  func attend(_ containers: Set<OverlayContainer>) async { await overlays.attend(containers) }

  func sendsTo(_ addresses: Set<IPv4Address>) async {
    destinations.withLock { $0 = addresses }
    watchPeers()
  }

  private func watchPeers() {
    let destinations = destinations.withLock { $0 }
    let peers = mesh.withLock { $0 }?.peers ?? []
    let neighbours = neighbours.withLock { $0 }
    prober.watch(
      peers.filter { peer in neighbours.contains(peer.nodeID) || destinations.contains { peer.subnet.contains($0) } })
  }

  func silentPeers() async -> AsyncStream<Set<IPv4Subnet>> { silent }

  private func followPeers() async {
    for await subnets in prober.silentPeers() {
      tellSilent.yield(subnets)
      let peers = mesh.withLock { $0 }?.peers ?? []
      await overlays.suspend(Set(peers.filter { subnets.contains($0.subnet) }.map(\.nodeID)))
    }
  }

  /// A port that another program holds is that program's.
  func offload(_ table: EndpointTable, without failed: Set<UInt16>) async {
    var table = table
    table.listeners.removeAll { failed.contains($0.port) }
    await offload.program(table)
  }

  func cut(_ addresses: Set<IPv4Address>) async { await offload.cut(addresses) }
  func forget(_ address: IPv4Address) async { await offload.forget(address) }

  var packetSize: UInt32? { get async { await keeper.packetSize } }

  /// Until cancelled; all of it stays, as containers do.
  func run() async {
    // The mesh's routes are a change that makes it look again.
    let sources = SourceKeeper(
      interfaces: Self.answering, logger: logger,
      inside: { [self] in try await InsideAddresses.all(engine, mesh.withLock { $0 }) }
    ) { [relay, offload] policy in
      try await relay.keepSources(policy)
      await offload.setInside(policy.keeps ? policy.inside : nil)
    }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keeper.run() }
      group.addTask { await self.overlays.run() }
      group.addTask { await sources.run() }
      group.addTask { await self.offload.run() }
      group.addTask { await self.prober.run() }
      group.addTask { await self.followPeers() }
    }
  }

  /// Takes away what is left of a swarm. The relay has gone before.
  static func remove() async throws {
    try SourceKeeper.removeRules(interfaces: answering)
    try OffloadKeeper.remove()
    try await MeshKeeper.remove(bridge: bridge)
    try await HostOverlays.remove()
  }
}

/// What the relay and the packet filter carry together.
struct HostTraffic: TrafficPlane {
  let relay: RelayPlane
  let networks: HostNetworks

  func program(_ table: EndpointTable) async throws -> TrafficOutcome {
    // The filter last: what it does not take is the relay's, which knows of it by then.
    let outcome = try await relay.program(table)
    await networks.offload(table, without: Set(outcome.failedPorts.keys))
    return outcome
  }

  func cut(_ addresses: Set<IPv4Address>) async { await networks.cut(addresses) }
  func forget(_ address: IPv4Address) async { await networks.forget(address) }
  func openConnections(of endpoints: [String]) async throws -> [String: Int] { try await relay.openConnections(of: endpoints) }
  func drainingConnections() -> AsyncStream<[String: Int]> { relay.drainingConnections() }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import DataPlane
import EngineClient
import Logging
import Netfilter
import NodeAgent
import Overlay
import Synchronization

/// What of this host's network is kept as the managers say: the tunnel to other hosts, and the rules that keep clients' addresses.
final class HostNetworks: NodeNetworks {
  private static let bridge = IngressNetwork.bridge
  private static let answering = [bridge, MeshPlan.device]

  private let mesh = Mutex<Mesh?>(nil)
  private let keeper: MeshKeeper
  private let engine: any Engine
  private let relay: RelaySupervisor
  private let logger: Logger

  init(engine: any Engine, relay: RelaySupervisor, logger: Logger) {
    self.engine = engine
    self.relay = relay
    self.logger = logger
    keeper = MeshKeeper(bridge: Self.bridge, logger: logger)
  }

  func want(_ mesh: Mesh?) async {
    self.mesh.withLock { $0 = mesh }
    await keeper.want(mesh)
  }

  var packetSize: UInt32? { get async { await keeper.packetSize } }

  /// Until cancelled; all of it stays, as containers do.
  func run() async {
    // The mesh's routes are a change that makes it look again.
    let sources = SourceKeeper(
      interfaces: Self.answering, logger: logger,
      inside: { [self] in try await InsideAddresses.all(engine, mesh.withLock { $0 }) }
    ) { [relay] in try await relay.keepSources($0) }
    await withDiscardingTaskGroup { group in
      group.addTask { await self.keeper.run() }
      group.addTask { await sources.run() }
    }
  }

  /// Takes away what is left of a swarm. The relay has gone before.
  static func remove() async throws {
    try SourceKeeper.removeRules(interfaces: answering)
    try await MeshKeeper.remove(bridge: bridge)
  }
}

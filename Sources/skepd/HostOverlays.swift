// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Logging
import NIOCore
import NodeAgent
import Overlay

/// What of overlay networks is this host's: the tunnels, services' addresses inside of its containers, and names.
actor HostOverlays {
  private let tunnels: OverlayKeeper
  private let virtualIPs: VirtualIPKeeper
  private let names: NameServer
  private let logger: Logger
  private var containers: [String: OverlayContainer] = [:]
  private var networks: [OverlayNetwork] = []
  /// Nodes that do not answer this one, whatever the managers think of them.
  private var silent: Set<String> = []
  /// Counts what names were told, so that nothing older comes after something newer.
  private var told = 0

  init(logger: Logger) {
    self.logger = logger
    tunnels = OverlayKeeper(logger: logger)
    virtualIPs = VirtualIPKeeper(logger: logger)
    names = NameServer(logger: logger)
  }

  func want(_ networks: [OverlayNetwork], _ mesh: Mesh?) async {
    self.networks = networks
    names.listen(at: Set(networks.map(\.gateway)))
    await tunnels.want(networks, mesh)
    await program()
  }

  /// Their containers get nothing new, as long as there are others; connections to them end.
  func suspend(_ nodeIDs: Set<String>) async {
    guard silent != nodeIDs else { return }
    silent = nodeIDs
    await program()
  }

  private func program() async {
    let answering = networks.map { $0.leavingOut(silent) }
    names.know(answering)
    await virtualIPs.know(answering)
    await tellNames()
  }

  func bridgesChanged() async { await tunnels.ensure() }

  /// All of the running ones. One whose process is another has been restarted.
  func attend(_ wanted: Set<OverlayContainer>) async {
    let known = containers
    containers = Dictionary(wanted.map { ($0.id, $0) }) { first, _ in first }
    for id in known.keys where containers[id] == nil { await virtualIPs.leave(id) }
    for container in containers.values where known[container.id]?.process != container.process { await enter(container) }
    await tellNames()
  }

  private func enter(_ container: OverlayContainer) async {
    do { try await virtualIPs.enter(container.id, process: container.process) } catch {
      // It has ended meanwhile, which the agent hears too.
      logger.debug("a container's network cannot be entered", metadata: ["container": "\(container.id)", "error": "\(error)"])
    }
  }

  private func tellNames() async {
    told += 1
    let turn = told
    let served = await virtualIPs.served
    guard turn == told else { return }
    names.serve(served)
    names.forward(servers)
  }

  /// Those of containers that have their own.
  private var servers: [IPv4Address: [SocketAddress]] {
    var servers: [IPv4Address: [SocketAddress]] = [:]
    for endpoint in networks.flatMap(\.endpoints) {
      guard let own = containers[endpoint.id]?.nameservers, !own.isEmpty else { continue }
      servers[endpoint.address] = own.compactMap { try? SocketAddress(ipAddress: $0, port: 53) }
    }
    return servers
  }

  /// Until cancelled; all of it stays but the answers to names.
  nonisolated func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.tunnels.run() }
      group.addTask { await self.virtualIPs.run() }
      group.addTask { await self.names.run() }
    }
  }

  /// Takes away what is left of a swarm. What is inside of containers goes with them.
  static func remove() async throws { try await OverlayKeeper.remove() }
}

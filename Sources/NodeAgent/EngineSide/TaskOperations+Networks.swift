// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import EngineClient

extension TaskOperations {
  /// How long what is left of a network that is gone may be in the way of another: its containers are being stopped.
  private static let patience = Duration.seconds(15)

  /// Makes the ingress network what the subnet asks for, or says why it cannot.
  func ensureIngressNetwork(_ subnet: IPv4Subnet?, mtu: UInt32?) async throws {
    guard let subnet else { throw TaskFailure(.refused, "node is missing network attachments, ip addresses may be exhausted") }
    try await networkLock.withSlot {
      try await retrying {
        let found = try await ingressNetwork()
        switch IngressNetwork.verdict(found, subnet: subnet, clusterID: clusterID) {
        case .fits: return
        case .unusable(let reason): throw TaskFailure(.refused, reason)
        case .recreate: try await engine.removeNetwork(found?.id ?? IngressNetwork.name)
        case .create: break
        }
        let version = try await engine.apiVersion()
        _ = try await engine.createNetwork(
          IngressNetwork.body(subnet: subnet, clusterID: clusterID, mtu: mtu, version: version))
      }
    }
  }

  func ingressNetwork() async throws -> EngineNetwork? {
    do {
      return try await engine.network(IngressNetwork.name).value
    } catch let error as EngineError where error.code == .notFound {
      return nil
    }
  }

  /// Makes this node's part of an overlay network, or says why it cannot be made.
  func ensure(_ network: OverlayNetwork, mtu: UInt32?) async throws {
    let deadline = clock.now().uptime + Self.patience
    var backoff = Backoff()
    while true {
      do {
        return try await networkLock.withSlot { try await retrying { try await make(network, mtu: mtu) } }
      } catch let error as EngineError where clock.now().uptime < deadline {
        logger.debug("a network's place is not free yet", metadata: ["network": "\(network.name)", "error": "\(error)"])
      }
      try await clock.sleep(backoff.next())
    }
  }

  private func make(_ network: OverlayNetwork, mtu: UInt32?) async throws {
    let found = try await engine.networks(filters: ["driver": ["bridge"]]).map(\.value)
    switch OverlayBridge.verdict(on: network, found: found) {
    case .fits: return
    case .unusable(let reason): throw TaskFailure(.refused, reason)
    case .create(let removing): for id in removing { try await engine.removeNetwork(id) }
    }
    _ = try await engine.createNetwork(OverlayBridge.body(of: network, clusterID: clusterID, mtu: mtu))
  }

  /// A container that was adopted may have been connected before.
  func connect(_ container: ContainerState, _ places: [OverlayPlace]) async throws {
    guard !places.isEmpty else { return }
    let known = try await engine.container(container.id).value.networkSettings.networks
    for place in places where known[place.engineName] == nil {
      try await engine.connectNetwork(place.engineName, container: container.id, endpoint: place.settings)
    }
  }

  /// Removes this node's parts of networks that it has no task on any more. One that is still used goes the next time.
  ///
  /// - Parameter wanted: asked for each while no other is made: a task may have come meanwhile.
  func removeOverlays(besides wanted: @Sendable () async -> Set<String>) async {
    let labels = ["\(Labels.cluster)=\(clusterID)", Labels.network]
    guard let found = try? await engine.networks(filters: ["label": labels]).map(\.value) else { return }
    for network in found {
      guard network.labels[Labels.cluster] == clusterID, let id = network.labels[Labels.network] else { continue }
      try? await networkLock.withSlot {
        if await !wanted().contains(id) { try await engine.removeNetwork(network.id) }
      }
    }
  }
}

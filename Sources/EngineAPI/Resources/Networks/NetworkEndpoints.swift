// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import EngineClient
import HTTPWire

/// The engine's network that published ports are reached through, on every host.
enum IngressBridge {
  /// Sorts first: the engine takes a container's default route from the first of its networks.
  static let name = "0-skep-ingress"
}

/// Requests for networks are the engine's, except for those of the cluster.
extension SwarmAPI {
  /// The engine's list with the cluster's networks before it; this host's parts of these are not shown beside them.
  func listNetworks(_ call: Call) async throws -> Rewritten {
    let keys: Set = ["id", "name", "driver", "scope", "type", "label", "dangling"]
    // What the engine has to refuse, it refuses.
    guard let filters = try? Filters(call.query["filters"], allowed: keys) else { return call.unchanged }
    switch await control.state {
    case .active(let swarm):
      let store = await swarm.store.read { $0 }
      let known = ClusterNetworks(store).all.filter { $0.matches(filters) }.map(\.listed)
      return .answer(.json(.array(known + (try await engineNetworks(filters, call).filter { !$0.isOverlayPart }))))
    case .worker:
      // As if it had no driver of its own: a filter for overlay networks would find none.
      let parts = try await engine.networks(filters: ["label": [Labels.network]]).compactMap { OverlayPart($0.raw) }
      let engines = try await engineNetworks(filters, call).filter { !$0.isOverlayPart }
      return .answer(.json(.array(parts.filter { $0.matches(filters) }.map(\.listed) + engines)))
    case .inactive, .pending, .failed: return call.unchanged
    }
  }

  private func engineNetworks(_ filters: Filters, _ call: Call) async throws -> [JSONValue] {
    do {
      return try await engine.networks(filters: filters.all, version: call.request.version?.description).map(\.raw)
    } catch let error as EngineError {
      // In its own words, as in swarm mode.
      guard let status = error.status else { throw error }
      throw APIError(status: status, error.message)
    }
  }

  func inspectNetwork(_ call: Call) async throws -> Rewritten {
    // A malformed flag is the engine's to refuse.
    guard Self.isFlag(call.query["verbose"]) else { return call.unchanged }
    let scope = call.query["scope"] ?? ""
    switch await control.state {
    case .active(let swarm): return try await inspectNetwork(call, scope, swarm)
    case .worker:
      guard ["", "swarm"].contains(scope), let part = try await overlayPart(call.id) else { return call.unchanged }
      return .answer(.json(part.inspected))
    case .inactive, .pending, .failed: return call.unchanged
    }
  }

  private func inspectNetwork(_ call: Call, _ scope: String, _ swarm: ActiveSwarm) async throws -> Rewritten {
    let store = await swarm.store.read { $0 }
    guard ["", "swarm"].contains(scope) else { return call.unchanged }
    if let network = ClusterNetworks(store).find(call.id) {
      if scope.isEmpty, call.id == network.name, await isEnginesOwn(call.id) {
        throw APIError.badRequest("2 matches found based on name: network \(call.id) is ambiguous")
      }
      let containers = await containers(on: network)
      return .answer(.json(network.inspected(containers: containers, peers: network.peers(in: store, at: swarm.address))))
    }
    if scope == "swarm", let network = PredefinedNetwork(rawValue: call.id) { return .answer(.json(network.json)) }
    try await refuseLeftover(call.id)
    return call.unchanged
  }

  /// Those of this host, as its engine shows them; `nil` where it has no part of the network.
  private func containers(on network: NetworkJSON) async -> JSONValue? {
    if network.name == IngressNetwork.name { return (try? await engine.network(IngressBridge.name))?.raw["Containers"] ?? [:] }
    guard let part = try? await overlayPart(network.id) else { return nil }
    return part.inspected["Containers"] ?? [:]
  }

  private static func isFlag(_ text: String?) -> Bool {
    guard let text, !text.isEmpty else { return true }
    return Query.strictBool(text) != nil
  }

  /// Whether the engine has a network of this name that is not the cluster's. One that does not answer has none.
  func isEnginesOwn(_ name: String) async -> Bool {
    guard let found = try? await engine.network(name) else { return false }
    return found.value.name == name && !found.raw.isOverlayPart
  }

  /// A part of a network that is gone goes too, in a moment: nobody is to see it, or take it for the engine's own.
  func refuseLeftover(_ reference: String) async throws {
    guard (try? await engine.network(reference))?.raw.isOverlayPart == true else { return }
    throw APIError(status: 404, "network \(reference) not found")
  }

  /// This host's part of an overlay network, by the cluster's id or name of it.
  func overlayPart(_ reference: String) async throws -> OverlayPart? {
    let parts = try await engine.networks(filters: ["label": [Labels.network]]).compactMap { OverlayPart($0.raw) }
    let found =
      parts.first { $0.networkID == reference } ?? parts.first { $0.name == reference }
      ?? parts.first { $0.networkID.hasPrefix(reference) }
    guard let found else { return nil }
    return OverlayPart(try await engine.network(found.id).raw)
  }

  func ingress() async -> IngressNetwork? {
    guard case .active(let swarm) = await control.state else { return nil }
    return await swarm.store.read { $0.cluster }.map { IngressNetwork(of: $0) }
  }
}

extension Call {
  /// To the engine as it came.
  var unchanged: Rewritten { .forward(request.head, body: request.body) }
}

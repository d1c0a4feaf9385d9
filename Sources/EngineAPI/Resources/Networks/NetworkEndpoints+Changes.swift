// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import EngineClient
import HTTPWire

extension SwarmAPI {
  func createNetwork(_ call: Call) async throws -> Rewritten {
    // What is no JSON is for the engine to refuse.
    guard let body = try? JSONValue(parsing: call.request.body), body.objectValue != nil,
      let request = try? GoJSONDecoder().decode(NetworkRequest.self, from: body)
    else { return call.unchanged }
    let name = request.name ?? ""
    guard case .active(let swarm) = await control.state else {
      guard request.isClusterWide else { return call.unchanged }
      throw APIError(
        status: 403, request.isOverlay ? SwarmText.noSwarm : "cannot create a swarm scoped network when swarm is not active")
    }
    let store = await swarm.store.read { $0 }
    if ClusterNetworks(store).isName(name) { throw NetworkResource.nameTaken(name) }
    guard request.isClusterWide else { return call.unchanged }
    let spec = try request.spec(ingressID: store.cluster.map { IngressNetwork(of: $0).id } ?? "")
    if await isEnginesOwn(name) { throw NetworkResource.nameTaken(name) }
    var generator = SystemRandomNumberGenerator()
    let (id, time) = (Identifier.make(using: &generator), now())
    try await swarm.store.transaction { try NetworkResource.create(spec, id: id, now: time, in: &$0) }
    return .answer(.json(["Id": .string(id), "Warning": ""], status: 201))
  }

  func removeNetwork(_ call: Call) async throws -> Rewritten {
    switch await control.state {
    case .active(let swarm):
      let store = await swarm.store.read { $0 }
      guard let network = ClusterNetworks(store).find(call.id) else {
        try await refuseLeftover(call.id)
        break
      }
      if network.name == IngressNetwork.name {
        throw APIError(status: 501, "removing the ingress network is not supported by this release of Skep")
      }
      if call.id == network.name, await isEnginesOwn(call.id) {
        throw APIError.badRequest("2 matches found based on name: network \(call.id) is ambiguous")
      }
      try await swarm.store.transaction { try NetworkResource.remove(network.id, in: &$0) }
      return .answer(Response(status: 204))
    case .worker: if try await overlayPart(call.id) != nil { throw APIError(status: 503, SwarmText.worker) }
    case .inactive, .pending, .failed: break
    }
    return try await spareIngressBridge(call, "cannot be removed")
  }

  /// Its addresses are given to tasks: another container could take one.
  func connectNetwork(_ call: Call) async throws -> Rewritten {
    if let ingress = await ingress(), ingress.isMeant(by: call.id) { throw Self.notAttachable(IngressNetwork.name) }
    if await isInSwarm, try await isClusters(call.id) { return try await connectContainer(call, call.id) }
    return try await spareIngressBridge(call, "takes no other containers")
  }

  static func notAttachable(_ name: String) -> APIError {
    let reason = SpecError(rpc: .permissionDenied, "network \(name) not manually attachable").message
    return APIError(status: 403, "Could not attach to network \(name): \(reason)")
  }

  private func spareIngressBridge(_ call: Call, _ refusal: String) async throws -> Rewritten {
    // An engine that does not answer refuses by itself.
    guard (try? await networkName(call.id)) == IngressBridge.name else { return call.unchanged }
    throw APIError(status: 403, "\(IngressBridge.name) is used by Skep for published ports and \(refusal)")
  }
}

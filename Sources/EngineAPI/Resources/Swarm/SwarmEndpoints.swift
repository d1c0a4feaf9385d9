// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension SwarmAPI {
  func inspectSwarm(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    guard let cluster = await swarm.store.read(\.cluster) else { throw APIError(status: 503, SwarmText.notReady) }
    return .json(try ClusterJSON.value(cluster, withTokens: true))
  }

  func initSwarm(_ call: Call) async throws -> Response {
    let request = try call.decode(InitRequest.self)
    guard case .inactive = await control.state else {
      if request.forceNewCluster { throw SpecError.unsupported("forced new clusters") }
      throw APIError(status: 503, SwarmText.alreadyInSwarm)
    }
    let checked = try request.checked(system: try await control.systemAddresses(), version: call.version)
    return .json(.string(try await control.initialize(checked)))
  }

  func joinSwarm(_ call: Call) async throws -> Response {
    let request = try call.decode(JoinRequest.self)
    guard case .inactive = await control.state else { throw APIError(status: 503, SwarmText.alreadyInSwarm) }
    let system = try await control.systemAddresses()
    do { try await control.join(try request.checked(system: system)) } catch is JoinTimeout {
      throw APIError(status: 503, SwarmText.joinTimeout)
    }
    return Response()
  }

  func leaveSwarm(_ call: Call) async throws -> Response {
    let force = call.query.flag("force")
    switch await control.state {
    case .inactive: throw APIError(status: 503, SwarmText.notInSwarm)
    case .active(let swarm) where !force:
      let managers = await swarm.store.read { $0.nodes.values.count(where: \.isManager) }
      throw APIError(status: 503, LeaveRefusal.text(managers: (max(managers, 1), 0)))
    case .pending where !force, .failed where !force: throw APIError(status: 503, LeaveRefusal.text(managers: nil))
    case .active, .pending, .failed, .worker: try await control.leave(force: force)
    }
    return Response()
  }

  func updateSwarm(_ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let json = try call.json()
    let spec = try GoJSONDecoder().decode(ClusterSpec.self, from: json)
    let version = try call.objectVersion(of: "swarm")
    let rotation = try ClusterResource.Rotation(call)
    try spec.checkName()
    try spec.validate()
    let cluster = try await swarm.store.read { store throws(SpecError) in
      guard let cluster = store.cluster else { throw SpecError(rpc: .notFound, "cluster not found") }
      return cluster
    }
    // Not made in vain.
    guard version == cluster.version else { throw SpecError(rpc: .unknown, "update out of sequence") }
    let root = try ClusterResource.RootChange(RootWish(json, spec, of: cluster), of: cluster, by: swarm.roots)
    let time = now()
    try await swarm.store.transaction { transaction in
      var generator = SystemRandomNumberGenerator()
      try ClusterResource.update(spec, version: version, rotation, root: root, now: time, generator: &generator, in: &transaction)
    }
    return Response()
  }

  func unlockSwarm(_ call: Call) async throws -> Response {
    _ = try call.json()
    guard case .inactive = await control.state else { throw APIError(status: 409, "swarm is not locked") }
    throw APIError(status: 503, SwarmText.noSwarm)
  }
}

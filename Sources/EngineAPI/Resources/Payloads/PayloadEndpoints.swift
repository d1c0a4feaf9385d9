// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// `/secrets` and `/configs`.
extension PayloadKind {
  var routes: [SwarmRoute] {
    let check: @Sendable (Call) throws -> Void = { _ = try PayloadRequest($0, kind: self) }
    return [
      SwarmRoute("GET", "/\(rawValue)s", .manager { try await $0.listPayloads(self, $1, $2) }, before: Precheck.list),
      SwarmRoute(
        "POST", "/\(rawValue)s/create", .manager { try await $0.createPayload(self, $1, $2) },
        before: { try PayloadRequest($0, kind: self).checkVersion($0.version) }),
      SwarmRoute("GET", "/\(rawValue)s/{id}", .manager { try await $0.inspectPayload(self, $1, $2) }),
      SwarmRoute("DELETE", "/\(rawValue)s/{id}", .manager { try await $0.removePayload(self, $1, $2) }),
      SwarmRoute(
        "POST", "/\(rawValue)s/{id}/update", .manager { try await $0.updatePayload(self, $1, $2) },
        before: { call in
          try check(call)
          _ = try Self.version(call, self)
        }),
    ]
  }

  fileprivate static func version(_ call: Call, _ kind: PayloadKind) throws -> UInt64 {
    // Swarm does not say why.
    do { return try call.objectVersion(of: kind.rawValue) } catch {
      throw APIError.badRequest("invalid \(kind.rawValue) version")
    }
  }
}

extension SwarmAPI {
  func listPayloads(_ kind: PayloadKind, _ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let filter = try PayloadFilter(call.query["filters"], kind: kind)
    let found = await swarm.store.read { Array($0.payloads.values) }.filter(filter.matches).sorted { $0.id < $1.id }
    return .json(.array(try found.map { try PayloadJSON.value($0, data: try? data(of: $0, swarm)) }))
  }

  func inspectPayload(_ kind: PayloadKind, _ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let payload = try await swarm.store.read { try $0.lookUpPayload(kind, call.id) }
    do { return .json(try PayloadJSON.value(payload, data: try data(of: payload, swarm))) } catch {
      throw APIError(status: 500, "config \(payload.name) cannot be read: \(error)")
    }
  }

  /// A secret's is nobody's to see.
  private func data(of payload: Payload, _ swarm: ActiveSwarm) throws -> [UInt8]? {
    payload.kind == .secret ? nil : try swarm.sealer.openPayload(payload.data, payload.kind, id: payload.id)
  }

  func createPayload(_ kind: PayloadKind, _ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let request = try PayloadRequest(call, kind: kind)
    try request.checkVersion(call.version)
    let spec = try request.spec()
    var generator = SystemRandomNumberGenerator()
    let (id, time) = (Identifier.make(using: &generator), now())
    let payload = Payload(
      kind, id: id, spec: spec, data: try sealed(request.data ?? [], kind, id, swarm), createdAt: time)
    try await swarm.store.transaction { try PayloadResource.create(payload, in: &$0) }
    return .json(["ID": .string(id)], status: 201)
  }

  func updatePayload(_ kind: PayloadKind, _ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let request = try PayloadRequest(call, kind: kind)
    let version = try PayloadKind.version(call, kind)
    let id = try await swarm.store.read { try $0.lookUpPayload(kind, call.id).id }
    let time = now()
    // Equal bytes are equal when sealed: that they are the same is seen without opening those that are kept.
    let data = try request.data.map { try sealed($0, kind, id, swarm) }
    try await swarm.store.transaction { transaction in
      try PayloadResource.update(
        kind, id, name: request.name, labels: request.labels, data: data, version: version, now: time, in: &transaction)
    }
    return Response()
  }

  func removePayload(_ kind: PayloadKind, _ call: Call, _ swarm: ActiveSwarm) async throws -> Response {
    let id = try await swarm.store.read { try $0.lookUpPayload(kind, call.id).id }
    try await swarm.store.transaction { try PayloadResource.remove(kind, id, in: &$0) }
    return Response(status: 204)
  }

  private func sealed(_ data: [UInt8], _ kind: PayloadKind, _ id: String, _ swarm: ActiveSwarm) throws -> Sealed {
    do { return try swarm.sealer.sealPayload(data, kind, id: id) } catch {
      throw APIError(status: 500, "\(kind.rawValue)s cannot be kept: \(error)")
    }
  }
}

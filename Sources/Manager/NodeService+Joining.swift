// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import ClusterStore
import Orchestration

/// How a host becomes a node, and how a node begins a session.
extension NodeService {
  package var root: NodeMessage.Root {
    get async throws {
      guard let cluster = await store.read(\.cluster) else { throw RPCFailure(.unavailable, "there is no cluster yet") }
      return NodeMessage.Root(certificate: cluster.trustRoot, time: now().wall)
    }
  }

  package func refusal(of node: String) async -> RPCFailure? {
    guard await store.read({ $0.nodes[node] == nil }) else { return nil }
    await endSession(of: node)
    return RPCFailure(.permissionDenied, "Permission denied: node \(node) was removed from swarm")
  }

  package func issueCertificate(
    _ request: NodeMessage.CertificateRequest, to node: String?
  ) async throws -> NodeMessage.CertificateReply {
    guard let cluster = await store.read(\.cluster) else { throw RPCFailure(.unavailable, "there is no cluster yet") }
    if let node, request.token == nil { return try sign(request, node, cluster) }
    try Self.check(request.token ?? "", cluster.joinTokens)
    if let again = joins.node(request.signingRequest),
      await store.read({ $0.nodes[again]?.description == nil && $0.nodes[again] != nil })
    {
      return try sign(request, again, cluster)
    }
    let made = try newNode(request.availability)
    // Before the node is there: a request that cannot be signed leaves nothing behind.
    let reply = try sign(request, made.id, cluster)
    try await store.transaction { $0.put(made) }
    joins.remember(made.id, request.signingRequest)
    monitor.withLock { $0.begin(with: [made.id], at: now().uptime) }
    logger.info("a node has joined", metadata: ["node": "\(made.id)"])
    return reply
  }

  private func sign(
    _ request: NodeMessage.CertificateRequest, _ node: String, _ cluster: Cluster
  ) throws -> NodeMessage.CertificateReply {
    do {
      return NodeMessage.CertificateReply(
        certificate: try secrets.sign(request.signingRequest, node, node == ownID, cluster), trust: cluster.trustBundle,
        crossSigned: cluster.rotation?.crossSigned)
    } catch {
      throw RPCFailure(.invalidArgument, "\(error)")
    }
  }

  private static func check(_ token: String, _ tokens: Cluster.JoinTokens) throws(RPCFailure) {
    if JoinToken.equal(token, tokens.manager) {
      throw RPCFailure(
        .failedPrecondition,
        "several managers are not supported by this release of Skep: join as a worker, with the token of \"docker swarm join-token worker\""
      )
    }
    guard JoinToken.equal(token, tokens.worker) else {
      throw RPCFailure(.invalidArgument, "A valid join token is necessary to join this cluster")
    }
  }

  private func newNode(_ availability: String?) throws(RPCFailure) -> Node {
    let availability = availability ?? "active"
    guard NodeSpec.availabilities.contains(availability) else {
      throw RPCFailure(.invalidArgument, "invalid Availability: \(availability.goQuoted)")
    }
    return Node(
      id: Identifier.make(using: &generator), spec: NodeSpec(role: "worker", availability: availability),
      status: NodeStatus(state: .unknown, addr: ""), createdAt: now().wall)
  }
}

extension NodeService {
  package func register(
    _ registration: NodeMessage.Registration, of node: String, session current: String?, address: String
  ) async throws -> NodeMessage.Session {
    let statuses = registration.statuses.mapValues(\.status)
    let wasSuspended = heard(node)
    if let current {
      if wasSuspended { await noteReturn(of: node) }
      try await session(current, of: node).describe(registration.description)
      try await session(current, of: node).update(statuses: statuses)
      return await describe(current)
    }
    let isOrderly = registration.replaces.map { $0 == sessions[node]?.id } ?? false
    guard isOrderly || admits(node) else {
      throw RPCFailure(.unavailable, "node \(node) exceeded rate limit count of registrations")
    }
    let session = NodeSession(
      nodeID: node, address: address, dataPathAddr: registration.dataPathAddr, store: store, loop: loop, views: views,
      logger: logger, now: now)
    let id = await begin(session, of: node)
    let hold = monitor.withLock { $0.damper.back(node, at: now().uptime)?.message(at: now().uptime) }
    try await session.register(description: registration.description, statuses: statuses, hold: hold)
    if let hold {
      logger.warning("a node is back, and gets no tasks yet", metadata: ["node": "\(node)", "reason": "\(hold)"])
    } else {
      logger.info("a node is ready", metadata: ["node": "\(node)", "address": "\(address)"])
    }
    return await describe(id)
  }

  /// One that is refused is there, and is not to be found lost for having no session.
  private func admits(_ node: String) -> Bool {
    let moment = now().uptime
    return monitor.withLock { monitor in
      let isAdmitted = monitor.registrations.admits(node, at: moment)
      if !isAdmitted { monitor.excuse(node, for: RegistrationLimit.period * 2, at: moment) }
      return isAdmitted
    }
  }

  private func describe(_ session: String) async -> NodeMessage.Session {
    let (managers, period) = await store.read { store in
      let managers = store.nodes.values.compactMap { node in
        node.managerAddr.map { NodeMessage.Manager(nodeID: node.id, addr: $0) }
      }
      return (managers.sorted { $0.nodeID < $1.nodeID }, store.cluster?.spec.heartbeatPeriod ?? ClusterSpec.ownHeartbeatPeriod)
    }
    return NodeMessage.Session(id: session, managers: managers, heartbeatPeriod: period)
  }
}

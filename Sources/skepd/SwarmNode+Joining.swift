// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterTransport
import EngineAPI
import Identity

/// This host as a worker: how it joins, and how it goes on after a restart.
extension SwarmNode {
  /// Swarm's: after it the attempt goes on in the background.
  private static let joinPatience = Duration.seconds(20)

  func join(_ request: SwarmJoin) async throws {
    try beginChange()
    defer { endChange() }
    guard case .inactive = state else { throw StateError(description: "this host is in a swarm already") }
    let (credentials, manager) = try await Entry.enter(
      request.remote, token: request.token, availability: request.availability, now: { SystemClock.now().wall })
    let membership = Membership(
      credentials: credentials, managers: [manager], address: try request.address ?? HostAddresses.local(toward: manager.addr),
      // The choice for this host is one for its traffic, too.
      dataPath: request.dataPath ?? (advertiseAddress == nil ? nil : request.address))
    do {
      _ = try directory.makeSealingKey()
      try directory.write(membership)
      try directory.rememberCluster(credentials.identity.clusterID)
    } catch {
      try? directory.erase()
      throw error
    }
    state = .pending
    let ready = OneShot()
    try work(membership) { ready.fire() }
    logger.info("joined a swarm", metadata: ["node": "\(membership.credentials.identity.nodeID)"])
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ready.wait() }
      group.addTask { try? await Task.sleep(for: Self.joinPatience) }
      await group.next()
      group.cancelAll()
    }
    if case .pending = state { throw JoinTimeout() }
  }

  /// Goes on as the worker that this host is. Whether managers can be reached decides nothing: containers and traffic run on.
  func restoreWorker() async {
    do {
      let membership = try directory.membership()
      let credentials = membership.credentials
      try directory.rememberCluster(credentials.identity.clusterID)
      let isExpired = credentials.notAfter < SystemClock.now().wall
      state = .worker(WorkerState(membership, error: isExpired ? WorkerState.expired : nil))
      if isExpired { logger.error("\(WorkerState.expired)") }
      try work(membership) {}
      await tellOfStrangers(own: credentials.identity.clusterID)
    } catch {
      logger.critical("the node's state cannot be used", metadata: ["error": "\(error)"])
      state = .failed("\(error)")
    }
  }

  private func work(_ membership: Membership, onSession: @escaping @Sendable () -> Void) throws {
    // Sessions are few; only the newest of what they say counts.
    let (events, event) = AsyncStream.makeStream(of: ManagerLink.Event.self, bufferingPolicy: .bufferingNewest(8))
    let runtime = try WorkerRuntime(membership, directory: directory, engine: engine, relay: relay, files: files, logger: logger)
    {
      event.yield($0)
    }
    begin(runtime)
    // Ends with the link, which is all that can write to it.
    Task { [weak self] in
      for await event in events {
        await self?.take(event, membership)
        if case .session = event { onSession() }
      }
    }
  }

  private func take(_ event: ManagerLink.Event, _ membership: Membership) {
    guard let runtime, runtime.nodeID == membership.credentials.identity.nodeID, !directory.isLeaving else { return }
    var membership = membership
    switch event {
    case .session(let session):
      if !session.managers.isEmpty { membership.managers = session.managers }
      try? directory.write(placeOf: membership)
      state = .worker(WorkerState(membership, error: nil))
    case .refused(let failure):
      logger.error("the managers refuse this node", metadata: ["reason": "\(failure.message)"])
      state = .worker(WorkerState(membership, error: failure.message))
    case .outdated: break
    }
  }
}

extension WorkerState {
  static let expired = "Swarm certificates have expired. To replace them, leave the swarm and join again."

  fileprivate init(_ membership: Membership, error: String?) {
    self.init(
      nodeID: membership.credentials.identity.nodeID, address: membership.address,
      managers: membership.managers, error: error)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Identity
package import Logging
import Synchronization

/// A worker's managers, as its agent sees them: the dispatcher's protocol over the network.
///
/// A session that fails in any part is over in all of them: `assignments` ends, and the agent registers anew with all it knows.
package final class ManagerLink: Dispatcher {
  package enum Event: Sendable {
    /// A session has begun.
    case session(NodeMessage.Session)
    /// The managers want no more of this node, and say why.
    case refused(RPCFailure)
  }

  struct State {
    var session: String?
    /// Goodbye was said: no further session.
    var isOver = false
    var period = Duration.milliseconds(500)
    /// Of the stream that is read now.
    var reader: AsyncStream<Assignment>.Continuation?
    /// What the managers may read.
    var logs: (any TaskLogSource)?
    var openLogs = 0
  }

  let nodeID: String
  let channel: ManagerChannel
  let pulse: Pulse
  let sealer: any Sealer
  let logger: Logger
  let tell: @Sendable (Event) -> Void
  let state = Mutex(State())
  /// A session's streams; few at a time, as a session must end before the next begins.
  private let (jobs, addJob) = AsyncStream.makeStream(
    of: (@Sendable () async -> Void).self, bufferingPolicy: .bufferingNewest(16))

  /// `address` is a manager's. `credentials` are asked for at each connection. `tell` must not wait.
  package init(
    to address: String, nodeID: String, credentials: @escaping @Sendable () -> NodeCredentials, sealer: any Sealer,
    logger: Logger,
    now: @escaping @Sendable () -> Timestamp, tell: @escaping @Sendable (Event) -> Void
  ) throws {
    self.nodeID = nodeID
    self.sealer = sealer
    self.logger = logger
    self.tell = tell
    channel = try ManagerChannel(to: address, as: .member(credentials), now: now)
    pulse = try Pulse(to: address, as: .member(credentials), now: now)
  }

  /// Keeps the connections until cancelled. Once. `logs` are what the managers may ask for.
  package func run(logs: (any TaskLogSource)? = nil) async {
    state.withLock { $0.logs = logs }
    defer { state.withLock { $0.logs = nil } }
    await withDiscardingTaskGroup { group in
      group.addTask { try? await self.channel.run() }
      group.addTask { await self.pulse.run() }
      for await job in jobs { group.addTask { await job() } }
      group.cancelAll()
    }
    endSession()
    await pulse.close()
  }

  /// The next certificate of this node, by its present one.
  package func renew(_ signingRequest: String) async throws -> String {
    try await channel.issueCertificate(.init(signingRequest: signingRequest)).certificate
  }
}

extension ManagerLink {
  /// In a session it only renews the description.
  package func register(description: NodeDescription, statuses: [String: TaskStatus]) async throws {
    let (current, isOver) = state.withLock { ($0.session, $0.isOver) }
    guard !isOver else { throw RPCFailure.sessionOver }
    let registration = NodeMessage.Registration(description: description, statuses: statuses)
    let session: NodeMessage.Session
    do { session = try await channel.register(registration, as: SessionName(nodeID: nodeID, session: current)) } catch {
      throw failed(error)
    }
    guard current == nil else { return }
    state.withLock { state in
      state.session = session.id
      state.period = .nanoseconds(max(session.heartbeatPeriod, 1_000_000))
    }
    tell(.session(session))
  }

  package func assignments() async -> AsyncStream<Assignment> {
    let (stream, continuation) = AsyncStream.makeStream(of: Assignment.self, bufferingPolicy: .bufferingNewest(1))
    let (session, period) = state.withLock { state in
      if state.session != nil { state.reader = continuation }
      return (state.session, state.period)
    }
    guard let session else {
      continuation.finish()
      return stream
    }
    let name = SessionName(nodeID: nodeID, session: session)
    addJob.yield { await self.keep(name, period, continuation) }
    return stream
  }

  package func update(statuses: [String: TaskStatus]) async throws {
    try await inSession { try await self.channel.update(.init(statuses), as: $0) }
  }

  /// One that is lost is made up for: the next session begins with everything.
  package func report(traffic: TrafficReport) async {
    try? await inSession { try await self.channel.report(.init(traffic), as: $0) }
  }

  /// Says goodbye, and ends the session; there is none after it. `lease`: how long nothing is to be replaced; `nil` when the node leaves for good.
  package func goodbye(lease: Duration?) async throws {
    state.withLock { $0.isOver = true }
    try await inSession { try await self.channel.goodbye(.init(lease: lease), as: $0) }
    endSession()
  }
}

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

  private struct State {
    var session: String?
    /// Goodbye was said: no further session.
    var isOver = false
    var period = Duration.milliseconds(500)
    /// Of the stream that is read now.
    var reader: AsyncStream<Assignment>.Continuation?
  }

  private let nodeID: String
  private let channel: ManagerChannel
  private let pulse: Pulse
  private let sealer: any Sealer
  private let logger: Logger
  private let tell: @Sendable (Event) -> Void
  private let state = Mutex(State())
  /// A session's two streams; few at a time, as a session must end before the next begins.
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

  /// Keeps the connections until cancelled. Once.
  package func run() async {
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

extension ManagerLink {
  /// Both streams of a session, until one of them ends.
  private func keep(_ name: SessionName, _ period: Duration, _ reader: AsyncStream<Assignment>.Continuation) async {
    await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask {
        do { try await self.pulse.beat(as: name, every: period) {} } catch { return error }
        return nil
      }
      group.addTask {
        do { try await self.follow(name, reader) } catch { return error }
        return nil
      }
      let failure = await group.next() ?? nil
      if let failure, !Task.isCancelled {
        logger.warning("the session with the manager ended", metadata: ["error": "\(failed(failure))"])
      }
      endSession(name.session)
      group.cancelAll()
    }
  }

  private func follow(_ name: SessionName, _ reader: AsyncStream<Assignment>.Continuation) async throws {
    let assembler = Mutex(AssignmentAssembler())
    try await channel.assignments(as: name) { message in
      let assignment = try assembler.withLock { assembler in
        try assembler.take(message) { try self.sealer.sealRegistryAuth($0, ofService: $1) }
      }
      reader.yield(assignment)
    }
  }

  private func inSession(_ body: (SessionName) async throws -> Void) async throws {
    guard let session = state.withLock({ $0.session }) else { throw RPCFailure.sessionOver }
    do { try await body(SessionName(nodeID: nodeID, session: session)) } catch {
      endSession(session)
      throw failed(error)
    }
  }

  /// Ends the session of that name, or whatever there is.
  private func endSession(_ name: String? = nil) {
    let reader = state.withLock { state in
      guard name == nil || state.session == name else { return AsyncStream<Assignment>.Continuation?.none }
      state.session = nil
      defer { state.reader = nil }
      return state.reader
    }
    reader?.finish()
  }

  private func failed(_ error: any Error) -> any Error {
    guard let failure = error as? RPCFailure, failure.code == .permissionDenied else { return error }
    tell(.refused(failure))
    return failure
  }
}

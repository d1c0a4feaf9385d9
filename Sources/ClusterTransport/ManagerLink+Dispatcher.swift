// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
import Synchronization

extension ManagerLink: Dispatcher {
  /// In a session it only renews the description.
  package func register(description: NodeDescription, statuses: [String: TaskStatus]) async throws {
    let (current, former, isOver) = state.withLock { ($0.session, $0.former, $0.isOver) }
    guard !isOver else { throw RPCFailure.sessionOver }
    var description = description
    description.tls = try? credentials().tls
    let registration = NodeMessage.Registration(
      description: description, statuses: statuses, replaces: former, dataPathAddr: dataPathAddr)
    let session: NodeMessage.Session
    do { session = try await channel.register(registration, as: SessionName(nodeID: nodeID, session: current)) } catch {
      throw failed(error)
    }
    guard current == nil else { return }
    state.withLock { state in
      state.session = session.id
      state.former = nil
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
    add { await self.keep(name, period, continuation) }
    return stream
  }

  package func update(statuses: [String: TaskStatus]) async throws {
    try await inSession { try await self.channel.update(.init(statuses), as: $0) }
  }

  /// One that is lost is made up for: the next session begins with everything.
  package func report(traffic: TrafficReport) async {
    try? await inSession { try await self.channel.report(.init(traffic), as: $0) }
  }

  /// A refusal is the request's alone: the session goes on.
  package func attach(_ request: NodeMessage.AttachRequest) async throws -> NodeMessage.AttachReply {
    guard let session = state.withLock({ $0.session }) else {
      throw RPCFailure(.unavailable, "this node has no session with a manager now")
    }
    return try await channel.attach(request, as: SessionName(nodeID: nodeID, session: session))
  }

  package func report(containers: NodeMessage.AttachedContainers) async throws {
    try await inSession { try await self.channel.report(containers, as: $0) }
  }

  /// Says goodbye, and ends the session; there is none after it. `lease`: how long nothing is to be replaced; `nil` when the node leaves for good.
  package func goodbye(lease: Duration?) async throws {
    state.withLock { $0.isOver = true }
    try await inSession { try await self.channel.goodbye(.init(lease: lease), as: $0) }
    endSession()
  }
}

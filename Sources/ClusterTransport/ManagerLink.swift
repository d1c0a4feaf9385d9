// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Identity
package import Logging
import Synchronization

/// A worker's managers, as its agent sees them: the dispatcher's protocol over the network.
///
/// A session that fails in any part is over in all of them: `assignments` ends, and the agent registers anew with all it knows.
package final class ManagerLink: Sendable {
  package enum Event: Sendable {
    /// A session has begun.
    case session(NodeMessage.Session)
    /// The managers want no more of this node, and say why.
    case refused(RPCFailure)
    /// The managers want this node to ask for a certificate: the cluster's root is being replaced. See `Cluster.authorityMark`.
    case outdated(String)
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
    var connections: Connections
    /// Ended by a reconnection.
    var former: String?
  }

  /// Made anew to show a new certificate.
  struct Connections {
    let channel: ManagerChannel
    let pulse: Pulse
  }

  private enum Job {
    /// Streams of a session; few at a time, as a session must end before the next begins.
    case stream(@Sendable () async -> Void)
    case reconnect
  }

  let nodeID: String
  let dataPathAddr: String?
  let sealer: any Sealer
  let logger: Logger
  let credentials: @Sendable () -> NodeCredentials
  let tell: @Sendable (Event) -> Void
  let state: Mutex<State>
  private let connect: @Sendable () throws -> Connections
  private let (jobs, addJob) = AsyncStream.makeStream(of: Job.self, bufferingPolicy: .bufferingNewest(16))

  /// `address` is a manager's. `credentials` are asked for at each connection. `tell` must not wait.
  /// `dataPathAddr` is where this host wants its peers' traffic, `nil` for where the managers see it.
  package init(
    to address: String, nodeID: String, dataPathAddr: String? = nil, credentials: @escaping @Sendable () -> NodeCredentials,
    sealer: any Sealer,
    logger: Logger,
    now: @escaping @Sendable () -> Timestamp, tell: @escaping @Sendable (Event) -> Void
  ) throws {
    self.nodeID = nodeID
    self.dataPathAddr = dataPathAddr
    self.sealer = sealer
    self.logger = logger
    self.credentials = credentials
    self.tell = tell
    connect = {
      Connections(
        channel: try ManagerChannel(to: address, as: .member(credentials), now: now),
        pulse: try Pulse(to: address, as: .member(credentials), now: now))
    }
    state = Mutex(State(connections: try connect()))
  }

  var channel: ManagerChannel { state.withLock { $0.connections.channel } }
  var pulse: Pulse { state.withLock { $0.connections.pulse } }

  /// Keeps the connections until cancelled. Once. `logs` are what the managers may ask for.
  package func run(logs: (any TaskLogSource)? = nil) async {
    state.withLock { $0.logs = logs }
    defer { state.withLock { $0.logs = nil } }
    var iterator = jobs.makeAsyncIterator()
    while !Task.isCancelled {
      await keepConnections(&iterator)
      guard !Task.isCancelled, let next = try? connect() else { return }
      state.withLock { $0.connections = next }
    }
  }

  /// Until cancelled, or other connections are wanted.
  private func keepConnections(_ jobs: inout AsyncStream<Job>.Iterator) async {
    let connections = state.withLock { $0.connections }
    await withDiscardingTaskGroup { group in
      group.addTask { try? await connections.channel.run() }
      group.addTask { await connections.pulse.run() }
      while case .stream(let stream)? = await jobs.next() { group.addTask { await stream() } }
      state.withLock { $0.former = $0.session }
      group.cancelAll()
    }
    endSession()
    await connections.pulse.close()
  }

  func add(_ stream: @escaping @Sendable () async -> Void) { addJob.yield(.stream(stream)) }

  /// The next certificate of this node, by its present one.
  package func renew(_ signingRequest: String) async throws -> NodeMessage.CertificateReply {
    try await channel.issueCertificate(.init(signingRequest: signingRequest))
  }

  /// Shows the present certificate from now on: connections are made anew, and with them the session. Nothing is moved by that.
  package func reconnect() { addJob.yield(.reconnect) }
}

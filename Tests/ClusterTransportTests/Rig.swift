// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import Identity
import Logging
import Synchronization

@testable import ClusterTransport

/// A manager that serves what it is asked and remembers by whom.
final class FakeManager: ManagerService {
  struct State {
    /// `call node`, in order.
    var calls: [String] = []
    var removed: Set<String> = []
    /// What each reader is given at once.
    var first: Assignment?
    var readers: [AsyncStream<Assignment>.Continuation] = []
    var reports: [TrafficReport] = []
    /// Given to each node that listens.
    var wishes: [NodeMessage.LogRequest] = []
    /// By request: what came, and whether it is over.
    var published: [String: [NodeMessage.LogBatch]] = [:]
    var endedLogs: [String] = []
    /// Requests whose reader has gone, and how many batches the reader of the others takes.
    var unwanted: Set<String> = []
    var appetite = Int.max
    /// What nodes said of their certificates, and are told to have.
    var tls: [NodeTLS] = []
    var authority: String?
    /// Answers requests for certificates; an empty certificate without it.
    var issue: (@Sendable (NodeMessage.CertificateRequest) throws -> NodeMessage.CertificateReply)?
  }

  let state = Mutex(State())
  let certificate: String

  init(certificate: String) { self.certificate = certificate }

  private func note(_ call: String, _ node: String?) { state.withLock { $0.calls.append("\(call) \(node ?? "-")") } }

  var root: NodeMessage.Root {
    note("root", nil)
    return NodeMessage.Root(certificate: certificate, time: Rig.now)
  }

  func issueCertificate(
    _ request: NodeMessage.CertificateRequest, to node: String?
  ) throws -> NodeMessage.CertificateReply {
    note("issue", node)
    return try state.withLock { $0.issue }?(request) ?? NodeMessage.CertificateReply(certificate: "")
  }

  func register(
    _ registration: NodeMessage.Registration, of node: String, session: String?, address: String
  ) -> NodeMessage.Session {
    note("register", node)
    state.withLock { $0.tls += [registration.description.tls].compactMap { $0 } }
    return NodeMessage.Session(id: "s1", managers: [], heartbeatPeriod: .milliseconds(20))
  }

  func beat(of node: String, session: String) throws -> NodeMessage.Beat {
    guard session == "s1" else { throw RPCFailure.sessionOver }
    note("beat", node)
    return NodeMessage.Beat(heartbeatPeriod: .milliseconds(20), authority: state.withLock { $0.authority })
  }

  func assignments(of node: String, session: String) throws -> AsyncStream<Assignment> {
    guard session == "s1" else { throw RPCFailure.sessionOver }
    note("assignments", node)
    let (stream, continuation) = AsyncStream.makeStream(of: Assignment.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { state in
      state.readers.append(continuation)
      if let first = state.first { continuation.yield(first) }
    }
    return stream
  }

  func update(_ statuses: NodeMessage.Statuses, of node: String, session: String) { note("update", node) }
  func report(_ traffic: NodeMessage.Traffic, of node: String, session: String) {
    note("report", node)
    state.withLock { $0.reports.append(traffic.report) }
  }
  func attach(_ request: NodeMessage.AttachRequest, of node: String, session: String) throws -> NodeMessage.AttachReply {
    note("attach", node)
    throw RPCFailure(.permissionDenied, "network \(request.network) not manually attachable")
  }
  func report(_ containers: NodeMessage.AttachedContainers, of node: String, session: String) { note("containers", node) }
  func goodbye(_ goodbye: NodeMessage.Goodbye, of node: String, session: String) { note("goodbye", node) }

  func logRequests(of node: String, session: String) throws -> AsyncStream<NodeMessage.LogRequest> {
    guard session == "s1" else { throw RPCFailure.sessionOver }
    note("logRequests", node)
    let (stream, continuation) = AsyncStream.makeStream(of: NodeMessage.LogRequest.self)
    state.withLock { for wish in $0.wishes { continuation.yield(wish) } }
    return stream
  }
  func publish(_ batch: NodeMessage.LogBatch, under request: String, of node: String) async -> Bool {
    note("publish", node)
    while state.withLock({ ($0.published[request] ?? []).count >= $0.appetite && !$0.unwanted.contains(request) }) {
      try? await Task.sleep(for: .milliseconds(2))
    }
    return state.withLock { state in
      guard !state.unwanted.contains(request) else { return false }
      state.published[request, default: []].append(batch)
      return !batch.isLast
    }
  }
  func untilUnwanted(log request: String, of node: String) async {
    while !Task.isCancelled, state.withLock({ !$0.unwanted.contains(request) }) {
      try? await Task.sleep(for: .milliseconds(2))
    }
  }
  func endLog(_ request: String, of node: String) { state.withLock { $0.endedLogs.append(request) } }

  func openRegistryAuth(_ template: TaskTemplate) -> String? { nil }
  func open(_ payload: AssignedPayload) -> [UInt8]? { payload.data.bytes.reversed() }

  func refusal(of node: String) -> RPCFailure? {
    state.withLock { $0.removed.contains(node) }
      ? RPCFailure(.permissionDenied, "Permission denied: node \(node) was removed from swarm") : nil
  }

  var calls: [String] { state.withLock { $0.calls } }
  func send(_ assignment: Assignment) { state.withLock { for reader in $0.readers { reader.yield(assignment) } } }
}

/// A cluster's authority, a manager's port on loopback, and whoever wants to call it.
struct Rig {
  static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  let authority: CertificateAuthority
  let root: TrustRoot
  let service: FakeManager

  init() throws {
    authority = try CertificateAuthority.make(now: 1_700_000_000)
    root = try TrustRoot(pem: authority.certificatePEM)
    service = FakeManager(certificate: authority.certificatePEM)
  }

  /// `at`: when it was issued, for an hour.
  func credentials(
    _ node: String, _ role: NodeIdentity.Role = .worker, cluster: String = "c1", by other: CertificateAuthority? = nil,
    at time: Timestamp = now
  ) throws -> NodeCredentials {
    let (authority, key) = (other ?? authority, NodeKey.make())
    let identity = NodeIdentity(clusterID: cluster, nodeID: node, role: role)
    let certificate = try authority.issue(
      to: identity, request: try key.signingRequest(), now: time, validity: .seconds(3_600))
    return try NodeCredentials(key: key, certificatePEM: certificate, root: try TrustRoot(pem: authority.certificatePEM))
  }

  /// A node that believes this cluster's manager, whoever signed its own certificate.
  func member(_ credentials: NodeCredentials) -> NodeIntroduction {
    .showing(certificate: credentials.certificatePEM, key: credentials.key, trusting: root)
  }

  /// Runs `body` with the port of a manager that serves.
  func serving(_ body: @escaping @Sendable (UInt16) async throws -> Void) async throws {
    let server = try ManagerServer(
      host: "127.0.0.1", port: 0, credentials: try credentials("m1", .manager), service: service, now: { Self.now })
    try await withThrowingTaskGroup(of: Void.self) { group in
      let (ports, port) = AsyncStream.makeStream(of: UInt16.self)
      group.addTask { try await server.run { port.yield($0) } }
      var iterator = ports.makeAsyncIterator()
      guard let number = await iterator.next() else { return }
      try await body(number)
      group.cancelAll()
    }
  }
}

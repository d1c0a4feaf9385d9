// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Why a manager refuses a node, in gRPC's terms.
package struct RPCFailure: Error, Hashable, CustomStringConvertible {
  package var code: RPCCode
  package var message: String

  package init(_ code: RPCCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// As swarm's clients know it.
  package var description: String { "rpc error: code = \(code.rawValue) desc = \(message)" }

  /// The session is over, for whatever reason: register again.
  package static let sessionOver = RPCFailure(.aborted, "the session is over: register again")
}

/// A manager's side of what nodes ask over the network. Who calls has been checked: `node` is the caller's own id.
package protocol ManagerService: Sendable {
  var root: NodeMessage.Root { get async throws }

  /// Throws when neither token nor `node` entitles to a certificate. `node` is `nil` for a host that joins.
  func issueCertificate(_ request: NodeMessage.CertificateRequest, to node: String?) async throws -> NodeMessage.CertificateReply

  /// Begins a session, or with the id of the current one only renews the description. `address` is where the node calls from.
  func register(
    _ registration: NodeMessage.Registration, of node: String, session: String?, address: String
  ) async throws -> NodeMessage.Session

  /// Throws `RPCFailure.sessionOver` unless the session is the node's current one; so do those below.
  func beat(of node: String, session: String) async throws -> NodeMessage.Beat
  func assignments(of node: String, session: String) async throws -> AsyncStream<Assignment>
  func update(_ statuses: NodeMessage.Statuses, of node: String, session: String) async throws
  func report(_ traffic: NodeMessage.Traffic, of node: String, session: String) async throws
  /// Throws `RPCFailure` with swarm's words when the network cannot be joined.
  func attach(_ request: NodeMessage.AttachRequest, of node: String, session: String) async throws -> NodeMessage.AttachReply
  func report(_ containers: NodeMessage.AttachedContainers, of node: String, session: String) async throws
  func goodbye(_ goodbye: NodeMessage.Goodbye, of node: String, session: String) async throws

  /// What the node is to publish, as it is asked for.
  func logRequests(of node: String, session: String) async throws -> AsyncStream<NodeMessage.LogRequest>

  /// The next lines of a log that was asked for. Returns when they have been taken, false when nobody wants any more.
  func publish(_ batch: NodeMessage.LogBatch, under request: String, of node: String) async -> Bool

  /// Returns when nobody wants the log any more.
  func untilUnwanted(log request: String, of node: String) async

  /// Nothing more comes from the node.
  func endLog(_ request: String, of node: String) async

  /// Registry credentials of a template, for its node.
  func openRegistryAuth(_ template: TaskTemplate) -> String?

  /// The data of a secret or a config, for a node that it is assigned to; `nil` when it cannot be read.
  func open(_ payload: AssignedPayload) -> [UInt8]?

  /// Why a holder of a certificate of this cluster is no node any more; `nil` while it is one.
  func refusal(of node: String) async -> RPCFailure?
}

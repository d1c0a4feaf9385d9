// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterTransport
import EngineAPI
import Identity

/// The way into a cluster: its root certificate first, which the token's digest vouches for, then the secret, and only to a manager
/// that the root vouches for.
enum Entry {
  /// Certificates begin an hour before they are made: so far a clock may be behind.
  private static let clockTolerance = Duration.seconds(3_600)

  static func enter(
    _ request: SwarmJoin, now: @escaping @Sendable () -> Timestamp
  ) async throws -> (NodeCredentials, NodeMessage.Manager) {
    let address =
      HostPort.split(request.remote) == nil ? HostPort.join(request.remote, SwarmAddresses.defaultPort) : request.remote
    let key = NodeKey.make()
    let root = try await root(of: address, key, request.token, now)
    let reply = try await ManagerChannel.with(to: address, as: .joining(key, root), now: now) { channel in
      try await channel.issueCertificate(
        .init(signingRequest: try key.signingRequest(), token: request.token, availability: request.availability))
    }
    let credentials = try NodeCredentials(key: key, certificatePEM: reply.certificate, root: root)
    return (credentials, NodeMessage.Manager(nodeID: "", addr: address))
  }

  private static func root(
    of address: String, _ key: NodeKey, _ token: String, _ now: @escaping @Sendable () -> Timestamp
  ) async throws -> TrustRoot {
    let answer: NodeMessage.Root
    do {
      answer = try await ManagerChannel.with(to: address, as: .blind(key), now: now) { try await $0.root() }
    } catch let failure as RPCFailure where failure.code == .unavailable || failure.code == .deadlineExceeded {
      throw RPCFailure(.unavailable, "connection error: the manager at \(address) cannot be reached: \(failure.message)")
    }
    guard JoinToken.matches(token, digest: TrustRoot.digest(of: answer.certificate)) else {
      throw SpecError("remote CA does not match fingerprint. Expected: \(JoinToken.digestText(token) ?? "")")
    }
    let here = now()
    guard abs((here - answer.time).nanoseconds) <= clockTolerance.nanoseconds else {
      throw SpecError("this host's clock says \(here), and the manager's says \(answer.time): set it right, then join")
    }
    return try TrustRoot(pem: answer.certificate)
  }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Identity

/// The way into a cluster: its root certificate first, which the token's digest vouches for, then the secret, and only to a manager
/// that the root vouches for.
package enum Entry {
  /// Certificates begin an hour before they are made: so far a clock may be behind.
  private static let clockTolerance = Duration.seconds(3_600)

  /// The secret is sent again, with the same key, when an answer was lost: the manager knows whom it has given a certificate.
  private static let attempts = 3

  /// `remote` is the manager to ask, `host` or `host:port`.
  package static func enter(
    _ remote: String, token: String, availability: String, now: @escaping @Sendable () -> Timestamp
  ) async throws -> (NodeCredentials, NodeMessage.Manager) {
    let address = HostPort.split(remote) == nil ? HostPort.join(remote, SwarmAddresses.defaultPort) : remote
    let key = NodeKey.make()
    let root = try await root(of: address, key, token, now)
    let request = NodeMessage.CertificateRequest(
      signingRequest: try key.signingRequest(), token: token, availability: availability)
    let reply = try await certificate(request, address, .joining(key, root), now)
    let credentials = try NodeCredentials.first(
      key, certificatePEM: reply.certificate, root: root, trust: reply.trust, crossSigned: reply.crossSigned)
    return (credentials, NodeMessage.Manager(nodeID: "", addr: address))
  }

  private static func certificate(
    _ request: NodeMessage.CertificateRequest, _ address: String, _ introduction: NodeIntroduction,
    _ now: @escaping @Sendable () -> Timestamp
  ) async throws -> NodeMessage.CertificateReply {
    var attempt = 1
    while true {
      do {
        return try await ManagerChannel.with(to: address, as: introduction, now: now) { try await $0.issueCertificate(request) }
      } catch let failure as RPCFailure where failure.isOfConnection && attempt < attempts {
        attempt += 1
      }
    }
  }

  private static func root(
    of address: String, _ key: NodeKey, _ token: String, _ now: @escaping @Sendable () -> Timestamp
  ) async throws -> TrustRoot {
    let answer: NodeMessage.Root
    do {
      answer = try await ManagerChannel.with(to: address, as: .blind(key), now: now) { try await $0.root() }
    } catch let failure as RPCFailure where failure.isOfConnection {
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

extension RPCFailure {
  /// Whether the question was answered is not known.
  fileprivate var isOfConnection: Bool { code == .unavailable || code == .deadlineExceeded }
}

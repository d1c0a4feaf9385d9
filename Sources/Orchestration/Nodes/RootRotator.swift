// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Ends the rotation of the cluster's root once every node has its certificate from the new one: the old one goes, and join tokens carry
/// the new one's digest. A node that is down holds it up until it is back or removed, as it could not come back otherwise.
enum RootRotator {
  static func finish(
    _ cluster: Cluster, in transaction: inout Transaction, now: Now, generator: inout some RandomNumberGenerator
  ) {
    guard let rotation = cluster.rotation, transaction.nodes.allSatisfy({ $0.hasCertificate(of: rotation) }) else { return }
    var cluster = cluster
    cluster.trustRoot = rotation.certificate
    cluster.rotation = nil
    cluster.joinTokens = Cluster.JoinTokens(
      worker: JoinToken.make(digest: rotation.digest, using: &generator),
      manager: JoinToken.make(digest: rotation.digest, using: &generator))
    cluster.updatedAt = now.wall
    transaction.put(cluster)
  }
}

extension Node {
  /// Managers make theirs themselves, whenever it is needed.
  fileprivate func hasCertificate(of rotation: RootRotation) -> Bool {
    isManager || description?.tls.map { $0.issuer == rotation.certificate } ?? false
  }
}

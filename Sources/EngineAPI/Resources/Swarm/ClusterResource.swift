// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Writes of the cluster object.
package enum ClusterResource {
  package struct Rotation: Sendable, Hashable {
    package var worker: Bool
    package var manager: Bool

    package init(worker: Bool = false, manager: Bool = false) {
      self.worker = worker
      self.manager = manager
    }

    init(_ call: Call) throws {
      worker = try call.strictFlag("rotateWorkerToken")
      manager = try call.strictFlag("rotateManagerToken")
      // Without a lock there is no key to change.
      _ = try call.strictFlag("rotateManagerUnlockKey")
    }
  }

  /// What an update makes of the cluster's root.
  package enum RootChange: Sendable, Hashable {
    case none
    case begin(RootRotation)
    /// Back to the root that there still is.
    case abort
  }

  /// Replaces the whole spec, as swarm does: what is left out becomes zero.
  package static func update(
    _ spec: ClusterSpec, version: UInt64, _ rotation: Rotation, root: RootChange = .none, now: Timestamp,
    generator: inout some RandomNumberGenerator,
    in transaction: inout Transaction
  ) throws {
    try spec.checkName()
    guard var cluster = transaction.cluster else { throw SpecError(rpc: .notFound, "cluster not found") }
    try spec.validate()
    guard version == cluster.version else { throw SpecError(rpc: .unknown, "update out of sequence") }
    cluster.spec = spec
    cluster.spec.name = "default"
    if rotation.worker { cluster.joinTokens.worker = try rotated(cluster.joinTokens.worker, &generator) }
    if rotation.manager { cluster.joinTokens.manager = try rotated(cluster.joinTokens.manager, &generator) }
    switch root {
    case .none: break
    case .begin(let rotation): cluster.rotation = rotation
    case .abort: cluster.rotation = nil
    }
    cluster.updatedAt = now
    transaction.put(cluster)
  }

  private static func rotated(_ token: String, _ generator: inout some RandomNumberGenerator) throws(SpecError) -> String {
    guard let token = JoinToken.rotated(token, using: &generator) else { throw SpecError(rpc: .internal, "invalid join token") }
    return token
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Identity
import Manager
import Synchronization

/// The cluster's authority, whichever it is just now: its keys are in the state directory, its certificates in the store.
final class ClusterAuthority: RootMaker {
  private let directory: StateDirectory
  private let clusterID: String
  /// The root made last, which may not be in the store yet.
  private let newest = Mutex<String?>(nil)

  init(directory: StateDirectory, clusterID: String) {
    self.directory = directory
    self.clusterID = clusterID
  }

  /// By the root that nodes are to have theirs from, or for this manager's own by the one that all of them believe already.
  func sign(_ request: String, for node: String, isManager: Bool, of cluster: Cluster) throws -> String {
    guard let authority = directory.authority(certificate: isManager ? cluster.trustRoot : cluster.issuer) else {
      throw StateError(description: "the cluster's authority has lost its key")
    }
    let identity = NodeIdentity(clusterID: clusterID, nodeID: node, role: isManager ? .manager : .worker)
    return try authority.issue(
      to: identity, request: request, now: SystemClock.now().wall, validity: cluster.spec.nodeValidity)
  }

  func rotation(to wish: RootWish, from cluster: Cluster) throws -> RootRotation? {
    guard let present = directory.authority(certificate: cluster.trustRoot) else {
      throw SpecError.unsupported("rotations of a root certificate whose key is lost")
    }
    do {
      let next = try authority(wish)
      if next.certificatePEM == cluster.trustRoot { return nil }
      if let running = cluster.rotation, running.certificate == next.certificatePEM { return running }
      let rotation = try present.rotation(to: next)
      newest.withLock { $0 = next.certificatePEM }
      try directory.addKey(next.keyPEM)
      return rotation
    } catch let error as CertificateError {
      throw SpecError.invalidArgument(error.message)
    }
  }

  /// Keys of roots that are gone.
  func forgetOthers(_ cluster: Cluster) throws {
    let needed = [cluster.trustRoot, cluster.rotation?.certificate, newest.withLock { $0 }].compactMap { $0 }
    try directory.forgetKeys(otherThanOf: Set(needed))
  }

  private func authority(_ wish: RootWish) throws -> CertificateAuthority {
    let now = SystemClock.now().wall
    switch wish {
    case .new: return try CertificateAuthority.make(now: Double(now.nanoseconds / 1_000_000_000))
    case .given(let certificate, let key):
      return try CertificateAuthority.given(certificatePEM: certificate, keyPEM: key, now: now)
    }
  }
}

extension ClusterSecrets {
  init(_ authority: ClusterAuthority, sealer: any Sealer) {
    self.init(
      sign: { try authority.sign($0, for: $1, isManager: $2, of: $3) }, sealer: sealer)
  }
}

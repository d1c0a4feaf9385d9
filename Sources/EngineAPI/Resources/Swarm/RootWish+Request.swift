// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension RootWish {
  /// What the body of an update says of the root: its key and certificate are input only, and no part of the stored spec. `nil` when it
  /// is to stay.
  init?(_ body: JSONValue, _ spec: ClusterSpec, of cluster: Cluster) throws(SpecError) {
    let authority = body.objectValue?.member(ignoringCase: "CAConfig")?.objectValue
    let certificate = authority?.member(ignoringCase: "SigningCACert")?.stringValue ?? ""
    let key = authority?.member(ignoringCase: "SigningCAKey")?.stringValue ?? ""
    guard !certificate.isEmpty else {
      guard key.isEmpty else {
        throw .invalidArgument("if a signing CA key is provided, the signing CA cert must also be provided")
      }
      guard (spec.caConfig.forceRotate ?? 0) != (cluster.spec.caConfig.forceRotate ?? 0) else { return nil }
      self = .new
      return
    }
    guard !key.isEmpty else {
      throw .invalidArgument(
        "there must be at least one valid, reachable external CA corresponding to the desired CA certificate")
    }
    self = .given(certificate: certificate, key: key)
  }
}

extension ClusterResource.RootChange {
  /// The key of a root that is to be is durable before the root is in the store.
  init(_ wish: RootWish?, of cluster: Cluster, by roots: any RootMaker) throws {
    guard let wish else {
      self = .none
      return
    }
    let rotation = try roots.rotation(to: wish, from: cluster)
    // One to the same root is under way: it goes on as it is.
    if let rotation, rotation.certificate == cluster.rotation?.certificate {
      self = .none
    } else {
      self = rotation.map { .begin($0) } ?? .abort
    }
  }
}

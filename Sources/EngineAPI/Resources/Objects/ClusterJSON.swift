// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The cluster as the Engine API shows it.
package enum ClusterJSON {
  /// `GET /swarm` with the join tokens, `Info.Swarm.Cluster` without.
  package static func value(_ cluster: Cluster, withTokens: Bool) throws -> JSONValue {
    var object = ObjectJSON.head(
      id: cluster.id, version: cluster.version, createdAt: cluster.createdAt, updatedAt: cluster.updatedAt)
    object.append("Spec", try GoJSONEncoder().encode(cluster.spec.asReadBack()))
    object.append("TLSInfo", tls(cluster.trustRoot, issuer: cluster.issuer))
    object.append("RootRotationInProgress", .bool(cluster.rotation != nil))
    object.append("DefaultAddrPool", JSONValue(cluster.defaultAddrPool))
    object.append("SubnetSize", JSONValue(cluster.subnetSize))
    object.append("DataPathPort", JSONValue(cluster.dataPathPort))
    if withTokens {
      let tokens: JSONValue = ["Worker": .string(cluster.joinTokens.worker), "Manager": .string(cluster.joinTokens.manager)]
      object.append("JoinTokens", tokens)
    }
    return .object(object)
  }

  /// The roots that are believed, with subject and key of the one that issues certificates; `{}` while there is none. `issuer` is the only
  /// root if it is left out.
  package static func tls(_ trustRoot: String, issuer: String? = nil) -> JSONValue {
    var object = JSONObject()
    object.append(nonEmpty: "TrustRoot", trustRoot)
    if let names = CertificateNames(pem: issuer ?? trustRoot) {
      object.append("CertIssuerSubject", .string(Base64.encode(names.subject)))
      object.append("CertIssuerPublicKey", .string(Base64.encode(names.publicKey)))
    }
    return .object(object)
  }
}

extension ClusterSpec {
  /// These two are shown even when an update left them out, which made them zero.
  fileprivate func asReadBack() -> ClusterSpec {
    var spec = self
    spec.orchestration.taskHistoryRetentionLimit = orchestration.taskHistoryRetentionLimit ?? 0
    spec.raft.keepOldSnapshots = raft.keepOldSnapshots ?? 0
    return spec
  }
}

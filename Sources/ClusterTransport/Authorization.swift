// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Identity
import Synchronization

/// Who calls, as the connection's certificate says.
package enum Caller: Sendable, Hashable {
  /// A host that joins: its certificate is self-made.
  case stranger
  case node(NodeIdentity)
}

/// Decides who is let in, and to what: the one place where that is done.
package struct Authorization: Sendable {
  private let roots: SharedRoot
  private let clusterID: String

  package init(root: TrustRoot, clusterID: String) {
    roots = SharedRoot(root)
    self.clusterID = clusterID
  }

  /// For every copy of this value.
  func believe(_ root: TrustRoot) { roots.value.withLock { $0 = root } }

  /// Asked at the handshake and again for each call, since a connection may outlast its certificate. `nil` for no certificate.
  package func caller(_ leaf: [UInt8]?, now: Timestamp) throws(RPCFailure) -> Caller {
    guard let leaf else { throw RPCFailure(.unauthenticated, "a certificate is needed") }
    if TrustRoot.isSelfMade(leaf) { return .stranger }
    let identity: NodeIdentity
    do { identity = try roots.value.withLock { $0 }.identity(of: leaf, now: now) } catch {
      throw RPCFailure(.unauthenticated, error.message)
    }
    guard identity.clusterID == clusterID else { throw RPCFailure(.unauthenticated, "the certificate is of another cluster") }
    return .node(identity)
  }

  /// Returns the node that the call is made for; `nil` for a host that joins. `claimed` is the node that the caller names.
  package static func admit(
    _ caller: Caller, to method: RPCMethod, claiming claimed: String?
  ) throws(RPCFailure) -> String? {
    switch (caller, method.access) {
    case (.stranger, .anybody): return nil
    case (.stranger, .ownNode):
      throw RPCFailure(.permissionDenied, "Permission denied: unauthorized peer role: rpc error: no certificate of this cluster")
    case (.node(let identity), .anybody): return identity.nodeID
    case (.node(let identity), .ownNode(let roles)):
      guard roles.contains(identity.role) else {
        throw RPCFailure(
          .permissionDenied, "Permission denied: remote certificate not authorized for role \(identity.role.rawValue)")
      }
      guard identity.nodeID == claimed else {
        throw RPCFailure(.permissionDenied, "Permission denied: node \(identity.nodeID) cannot act for another node")
      }
      return identity.nodeID
    }
  }
}

/// The root that is believed, which may be replaced.
private final class SharedRoot: Sendable {
  let value: Mutex<TrustRoot>

  init(_ root: TrustRoot) { value = Mutex(root) }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Manager

/// A swarm that this host manages.
package struct ActiveSwarm: Sendable {
  package let store: Store
  package let clusterID: String
  package let nodeID: String
  /// The advertised address, without port.
  package let address: String
  package let sealer: any Sealer
  package let roots: any RootMaker

  package init(
    store: Store, clusterID: String, nodeID: String, address: String, sealer: any Sealer, roots: any RootMaker
  ) {
    self.store = store
    self.clusterID = clusterID
    self.nodeID = nodeID
    self.address = address
    self.sealer = sealer
    self.roots = roots
  }
}

/// A root that a user wants instead of the present one.
package enum RootWish: Sendable, Hashable {
  case new
  /// PEM of certificate and key.
  case given(certificate: String, key: String)
}

/// Makes roots; holds the keys of the present one and of those made.
package protocol RootMaker: Sendable {
  /// The rotation to the wanted root, whose key is durable when this returns; `nil` when it is the present one. Throws in swarm's words.
  func rotation(to wish: RootWish, from cluster: Cluster) throws -> RootRotation?
}

/// A swarm that others manage.
package struct WorkerState: Sendable, Hashable {
  package var nodeID: String
  /// The advertised address, without port.
  package var address: String
  package var managers: [NodeMessage.Manager]
  /// Why the managers and this node are not together; only leaving helps.
  package var error: String?

  package init(nodeID: String, address: String, managers: [NodeMessage.Manager], error: String?) {
    self.nodeID = nodeID
    self.address = address
    self.managers = managers
    self.error = error
  }
}

/// What this host is in.
package enum SwarmState: Sendable {
  case inactive
  /// In a swarm whose store is not open yet.
  case pending
  case active(ActiveSwarm)
  case worker(WorkerState)
  /// In a swarm that does not work, with the reason; only a forced leave helps.
  case failed(String)
}

/// A checked `POST /swarm/init`: every default is filled in and every name resolved to an address.
package struct SwarmInit: Sendable {
  package var addresses: SwarmAddresses
  package var pools: AddressPools
  package var spec: ClusterSpec
  /// `active`, `pause` or `drain`.
  package var availability: String
}

/// A checked `POST /swarm/join`.
package struct SwarmJoin: Sendable, Hashable {
  /// The manager to ask, `host` or `host:port`.
  package var remote: String
  package var token: String
  /// `active`, `pause` or `drain`.
  package var availability: String
  /// To advertise, without port; `nil` for the one that the manager is reached from.
  package var address: String?
  /// Where peers' traffic is wanted, as the user chose; `nil` for where the managers see the node.
  package var dataPath: String?
}

/// The managers have not been heard in time; the attempt goes on.
package struct JoinTimeout: Error {
  package init() {}
}

/// The daemon around the API: what changes whether there is a swarm at all.
package protocol SwarmControl: Sendable {
  var state: SwarmState { get async }

  /// This host's own addresses, for the choice of one to advertise.
  func systemAddresses() async throws -> [SystemAddress]

  /// Makes a swarm with this host as its manager, and returns the node's id once `state` is active.
  func initialize(_ request: SwarmInit) async throws -> String

  /// Makes this host a node of another's swarm. Returns when the managers know it as ready; throws `JoinTimeout` when they do not in
  /// time, and anything else when it has not joined.
  func join(_ request: SwarmJoin) async throws

  /// Leaves for good: containers of the swarm are removed and its state is erased. Whether that is allowed has been checked.
  func leave(force: Bool) async throws

  /// Puts a container of this host on an overlay network. Throws `RPCFailure`, in swarm's words, when it may not be there.
  func attach(_ request: NodeMessage.AttachRequest) async throws -> AttachedPlace

  /// `nil` when the node cannot be asked now.
  func logSource(forNode id: String) async -> (any TaskLogSource)?
}

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

  package init(store: Store, clusterID: String, nodeID: String, address: String, sealer: any Sealer) {
    self.store = store
    self.clusterID = clusterID
    self.nodeID = nodeID
    self.address = address
    self.sealer = sealer
  }
}

/// What this host is in.
package enum SwarmState: Sendable {
  case inactive
  /// In a swarm whose store is not open yet.
  case pending
  case active(ActiveSwarm)
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

/// The daemon around the API: what changes whether there is a swarm at all.
package protocol SwarmControl: Sendable {
  var state: SwarmState { get async }

  /// This host's own addresses, for the choice of one to advertise.
  func systemAddresses() async throws -> [SystemAddress]

  /// Makes a swarm with this host as its manager, and returns the node's id once `state` is active.
  func initialize(_ request: SwarmInit) async throws -> String

  /// Leaves for good: containers of the swarm are removed and its state is erased. Whether that is allowed has been checked.
  func leave(force: Bool) async throws

  /// `nil` when the node cannot be asked now.
  func logSource(forNode id: String) async -> (any TaskLogSource)?
}

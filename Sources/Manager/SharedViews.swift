// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterStore
import Orchestration
import Synchronization

/// What the sessions of all nodes make alike of one state of the store, made once for all of them: else a change would cost as much
/// work as there are nodes, times what there is to look at.
package final class SharedViews: Sendable {
  /// Every node that has its place in the mesh.
  struct Everybody: Sendable {
    /// Sorted by number.
    let peers: [Peer]
    let byNode: [String: Peer]
    let nodeIDs: Set<String>
  }

  /// One service's part of the endpoint table.
  struct Published: Sendable {
    let listeners: [Listener]
    /// Where their endpoints are.
    let nodeIDs: Set<String>
  }

  private struct State {
    var isFollowing = false
    var sessions = 0
    var everybody: Everybody?
    var published: [String: Published] = [:]
    var networks: [String: OverlayNetwork?] = [:]
  }

  private let state = Mutex(State())

  /// Until it follows a store it keeps nothing.
  package init() {}

  /// Keeps what is made of this store's states from now on, for as long as it is true. Once.
  package func follow(_ store: Store) async {
    await store.observe { [weak self] changes, before in
      var dirty = DirtySet()
      dirty.insert(changes, before: before)
      self?.forget(dirty)
    }
    keep()
  }

  /// From now on whoever changes the state says so, before anybody looks at it.
  func keep() { state.withLock { $0.isFollowing = true } }

  func forget(_ dirty: DirtySet) {
    state.withLock { state in
      if dirty.cluster || !dirty.changedNodeIDs.isEmpty { state.everybody = nil }
      for id in dirty.serviceIDs { state.published[id] = nil }
      for id in dirty.networkIDs { state.networks[id] = nil }
    }
  }

  func everybody(in store: ClusterStore) -> Everybody {
    if let known = state.withLock({ $0.everybody }) { return known }
    let peers = Meshes.peers(in: store)
    let made = Everybody(
      peers: peers, byNode: Dictionary(peers.map { ($0.nodeID, $0) }) { first, _ in first },
      nodeIDs: Set(peers.map(\.nodeID)))
    state.withLock { if $0.isFollowing { $0.everybody = made } }
    return made
  }

  func published(byService id: String, in store: ClusterStore) -> Published {
    if let known = state.withLock({ $0.published[id] }) { return known }
    let listeners = EndpointTables.listeners(ofService: id, in: store)
    let nodes = listeners.flatMap(\.endpoints).compactMap { store.tasks[$0.id]?.nodeID }
    let made = Published(listeners: listeners, nodeIDs: Set(nodes))
    state.withLock { if $0.isFollowing { $0.published[id] = made } }
    return made
  }

  func network(_ id: String, in store: ClusterStore) -> OverlayNetwork? {
    if let known = state.withLock({ $0.networks[id] }) { return known }
    let made = OverlayNetworks.network(id, in: store)
    state.withLock { if $0.isFollowing { $0.networks.updateValue(made, forKey: id) } }
    return made
  }
}

extension SharedViews {
  /// How many share it.
  func share(among sessions: Int) { state.withLock { $0.sessions = sessions } }

  /// How far apart a session's looks are at least: the first of a burst of changes is acted on at once, however many sessions there are,
  /// and the rest of it takes no more than some 5,000 looks a second of all of them together.
  var pace: Duration { .microseconds(max(5_000, 200 * state.withLock { $0.sessions })) }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterRPC
import ClusterStore
import Orchestration

/// A node's complete assignment, brought up to date by looking only at what may have changed in it: a change of one service costs the
/// same however many there are.
struct AssignmentDraft: Sendable {
  /// What a look at the store found.
  struct News: Sendable {
    let version: UInt64
    let clusterID: String
    let nodeID: String
    let ingressSubnet: IPv4Subnet?
    /// `nil` when none of them can have changed.
    let tasks: [ClusterTask]?
    /// What these need; `nil` when none of it can have changed.
    let payloads: [AssignedPayload]?
    /// `nil` when it cannot have changed.
    let mesh: Mesh??
    /// Those that may have changed; `nil` for one that the node is not on.
    let networks: [String: OverlayNetwork?]
    /// Of the services that changed; empty for one that publishes nothing any more.
    let listeners: [String: [Listener]]

    /// The nodes whose containers the node can send traffic to: all of the mesh, if it is in it, and itself.
    let reach: Set<String>

    /// `dirty` is what changed since the last look, `nil` everything; `known` is the draft with what was found then. `nil` while there is
    /// no cluster.
    init?(
      of nodeID: String, in store: ClusterStore, since dirty: DirtySet?, known: AssignmentDraft? = nil,
      views: SharedViews = SharedViews()
    ) {
      guard let cluster = store.cluster else { return nil }
      version = store.version
      clusterID = cluster.id
      self.nodeID = nodeID
      ingressSubnet = store.nodes[nodeID]?.ingressSubnet
      tasks = dirty.map { $0.nodeIDs.contains(nodeID) } ?? true ? store.tasks(onNode: nodeID) : nil
      let arePayloadsDirty = tasks != nil || dirty?.payloadIDs.isEmpty == false
      payloads = arePayloadsDirty ? Self.payloads(of: tasks ?? store.tasks(onNode: nodeID), in: store) : nil
      let isMeshDirty = dirty.map { $0.cluster || !$0.changedNodeIDs.isEmpty } ?? true
      let everybody = isMeshDirty || known == nil ? views.everybody(in: store) : nil
      let own = everybody?.byNode[nodeID]
      mesh = isMeshDirty ? .some(own.flatMap { Meshes.mesh(of: $0, among: everybody?.peers ?? [], in: store) }) : nil
      let reach = everybody.map { own == nil ? [nodeID] : $0.nodeIDs } ?? known?.reach ?? [nodeID]
      self.reach = reach
      networks = Self.networks(of: nodeID, in: store, since: dirty, known: known?.assignment, views)
      // Removed ones are among those that changed.
      let isAllNew = dirty == nil || reach != known?.reach
      let changed = (dirty?.serviceIDs ?? []).union(isAllNew ? Set(store.services.keys) : [])
      listeners = Dictionary(
        uniqueKeysWithValues: changed.map { ($0, Self.listeners(views.published(byService: $0, in: store), reach, store)) })
    }

    /// A message to a node has room for them. Tasks that need what is beyond fail.
    private static let payloadBytes = 32 << 20

    /// Nobody else's, and none of a task that has ended. A spec that is rolled back to may name what is gone.
    private static func payloads(of tasks: [ClusterTask], in store: ClusterStore) -> [AssignedPayload] {
      let containers = tasks.lazy.filter { !$0.state.isTerminal }.compactMap(\.template.spec.containerSpec)
      let ids = Set(containers.flatMap { $0.payloadReferences.map(\.id) })
      var room = payloadBytes
      return ids.sorted().compactMap { store.payloads[$0] }.filter { payload in
        room -= payload.data.bytes.count
        return room >= 0
      }.map { AssignedPayload($0) }
    }

    private static func listeners(
      _ published: SharedViews.Published, _ reach: Set<String>, _ store: ClusterStore
    ) -> [Listener] {
      if published.nodeIDs.isSubset(of: reach) { return published.listeners }
      return published.listeners.map { listener in
        var listener = listener
        listener.endpoints.removeAll { endpoint in store.tasks[endpoint.id].map { !reach.contains($0.nodeID) } ?? false }
        return listener
      }
    }

    private static func networks(
      of nodeID: String, in store: ClusterStore, since dirty: DirtySet?, known: Assignment?,
      _ views: SharedViews
    ) -> [String: OverlayNetwork?] {
      let old = Set(known?.networks.map(\.id) ?? [])
      let isDirty = dirty.map { $0.nodeIDs.contains(nodeID) || !$0.changedNetworkIDs.isEmpty } ?? true
      let own = isDirty ? OverlayNetworks.ids(ofNode: nodeID, in: store) : old
      let looked = own.symmetricDifference(old).union(dirty.map { own.intersection($0.networkIDs) } ?? own)
      return Dictionary(
        uniqueKeysWithValues: looked.map { ($0, own.contains($0) ? views.network($0, in: store) : nil) })
    }
  }

  private(set) var assignment: Assignment
  private(set) var reach: Set<String> = []
  private var listeners: [String: [Listener]] = [:]

  init(_ news: News) {
    assignment = Assignment(
      clusterID: news.clusterID, nodeID: news.nodeID, term: 1, tasks: [], ingressSubnet: nil,
      table: EndpointTable(generation: news.version))
  }

  /// Whether the assignment is another one now.
  mutating func take(_ news: News) -> Bool {
    reach = news.reach
    let areNetworksNew = take(news.networks)
    let isTableNew = take(news.listeners)
    // A table also stands for the networks: who acknowledges it has these too.
    if isTableNew || areNetworksNew {
      let all = listeners.sorted { $0.key < $1.key }.flatMap(\.value)
      assignment.table = EndpointTable(generation: news.version, listeners: all)
    }
    let areTasksNew = news.tasks.map { $0 != assignment.tasks } ?? false
    if areTasksNew { assignment.tasks = news.tasks ?? [] }
    let arePayloadsNew = news.payloads.map { $0 != assignment.payloads } ?? false
    if let payloads = news.payloads { assignment.payloads = payloads }
    let isSubnetNew = news.ingressSubnet != assignment.ingressSubnet
    assignment.ingressSubnet = news.ingressSubnet
    let isMeshNew = news.mesh.map { $0 != assignment.mesh } ?? false
    if let mesh = news.mesh { assignment.mesh = mesh }
    return isTableNew || areNetworksNew || areTasksNew || arePayloadsNew || isSubnetNew || isMeshNew
  }

  private mutating func take(_ changed: [String: OverlayNetwork?]) -> Bool {
    guard !changed.isEmpty else { return false }
    var networks = Dictionary(uniqueKeysWithValues: assignment.networks.map { ($0.id, $0) })
    for (id, found) in changed { networks[id] = found }
    let sorted = networks.values.sorted { $0.id < $1.id }
    defer { assignment.networks = sorted }
    return sorted != assignment.networks
  }

  private mutating func take(_ changed: [String: [Listener]]) -> Bool {
    var isNew = false
    for (id, found) in changed where listeners[id] ?? [] != found {
      listeners[id] = found.isEmpty ? nil : found
      isNew = true
    }
    return isNew
  }
}

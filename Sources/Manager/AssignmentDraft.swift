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
    /// `nil` when it cannot have changed.
    let mesh: Mesh??
    /// Of the services that changed; empty for one that publishes nothing any more.
    let listeners: [String: [Listener]]

    /// `dirty` is what changed since the last look, `nil` everything; `mesh` is what was found then. `nil` while there is no cluster.
    init?(of nodeID: String, in store: ClusterStore, since dirty: DirtySet?, mesh known: Mesh? = nil) {
      guard let cluster = store.cluster else { return nil }
      version = store.version
      clusterID = cluster.id
      self.nodeID = nodeID
      ingressSubnet = store.nodes[nodeID]?.ingressSubnet
      tasks = dirty.map { $0.nodeIDs.contains(nodeID) } ?? true ? store.tasks(onNode: nodeID) : nil
      let isMeshDirty = dirty.map { $0.cluster || !$0.changedNodeIDs.isEmpty } ?? true
      mesh = isMeshDirty ? .some(Meshes.mesh(ofNode: nodeID, in: store)) : nil
      let reach = Reach(of: nodeID, in: store, mesh: mesh ?? known)
      let isReachNew = mesh.map { $0?.nodeIDs != known?.nodeIDs } ?? false
      // Removed ones are among those that changed.
      let changed = (dirty?.serviceIDs ?? []).union(isReachNew || dirty == nil ? Set(store.services.keys) : [])
      listeners = Dictionary(
        uniqueKeysWithValues: changed.map {
          ($0, EndpointTables.listeners(ofService: $0, in: store).map(reach.part))
        })
    }
  }

  /// Which containers a node can send traffic to: all of the mesh, if it is in it, and its own.
  private struct Reach {
    let store: ClusterStore
    let nodeIDs: Set<String>

    init(of nodeID: String, in store: ClusterStore, mesh: Mesh?) {
      self.store = store
      nodeIDs = mesh?.nodeIDs ?? [nodeID]
    }

    func part(_ listener: Listener) -> Listener {
      var listener = listener
      listener.endpoints.removeAll { endpoint in store.tasks[endpoint.id].map { !nodeIDs.contains($0.nodeID) } ?? false }
      return listener
    }
  }

  private(set) var assignment: Assignment
  private var listeners: [String: [Listener]] = [:]

  init(_ news: News) {
    assignment = Assignment(
      clusterID: news.clusterID, nodeID: news.nodeID, term: 1, tasks: [], ingressSubnet: nil,
      table: EndpointTable(generation: news.version))
  }

  /// Whether the assignment is another one now.
  mutating func take(_ news: News) -> Bool {
    let isTableNew = take(news.listeners)
    if isTableNew {
      let all = listeners.sorted { $0.key < $1.key }.flatMap(\.value)
      assignment.table = EndpointTable(generation: news.version, listeners: all)
    }
    let areTasksNew = news.tasks.map { $0 != assignment.tasks } ?? false
    if areTasksNew { assignment.tasks = news.tasks ?? [] }
    let isSubnetNew = news.ingressSubnet != assignment.ingressSubnet
    assignment.ingressSubnet = news.ingressSubnet
    let isMeshNew = news.mesh.map { $0 != assignment.mesh } ?? false
    if let mesh = news.mesh { assignment.mesh = mesh }
    return isTableNew || areTasksNew || isSubnetNew || isMeshNew
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

// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel

/// Everything one node is to do, complete: what is not in it is to be stopped. Level-triggered, so only the newest counts.
package struct Assignment: Sendable {
  package var clusterID: String
  package var nodeID: String
  /// The leadership the assignment comes from; a lower one than the highest seen is to be ignored.
  package var term: UInt64
  /// Every task of this node that is not to be forgotten, with its desired state.
  package var tasks: [ClusterTask]
  /// The node's part of the ingress pool; the bridge of that name has its first address.
  package var ingressSubnet: IPv4Subnet?
  /// What every listener of this node is to do.
  package var table: EndpointTable
  /// `nil` while the node has no IPv4 address or no subnet: then it serves its own containers only.
  package var mesh: Mesh?
  /// Those that a container of this node is on; sorted by id.
  package var networks: [OverlayNetwork]
  /// What the files of its tasks are made of; sorted by id. For as long as one that has not ended needs it.
  package var payloads: [AssignedPayload]

  package init(
    clusterID: String, nodeID: String, term: UInt64, tasks: [ClusterTask], ingressSubnet: IPv4Subnet?, table: EndpointTable,
    mesh: Mesh? = nil, networks: [OverlayNetwork] = [], payloads: [AssignedPayload] = []
  ) {
    self.clusterID = clusterID
    self.nodeID = nodeID
    self.term = term
    self.tasks = tasks
    self.ingressSubnet = ingressSubnet
    self.table = table
    self.mesh = mesh
    self.networks = networks
    self.payloads = payloads
  }
}

/// What a node says of its traffic: the answer to the drain barrier.
package struct TrafficReport: Sendable, Hashable {
  /// The endpoint table its relay has applied.
  package var generation: UInt64
  /// Open connections of draining endpoints, by task id; every draining endpoint of the table is there.
  package var openConnections: [String: Int]
  /// Listeners that could not be opened, by port, with the reason.
  package var failedPorts: [UInt16: String]

  package init(generation: UInt64, openConnections: [String: Int] = [:], failedPorts: [UInt16: String] = [:]) {
    self.generation = generation
    self.openConnections = openConnections
    self.failedPorts = failedPorts
  }
}

/// The manager's side of a node's session, as the node's agent sees it. The agent of a manager has it in process.
package protocol Dispatcher: Sendable {
  /// Opens the session: the node is `ready` from now on. Statuses are those of containers found at start.
  func register(description: NodeDescription, statuses: [String: TaskStatus]) async throws

  /// Complete assignments; a slow reader gets the newest only.
  func assignments() async -> AsyncStream<Assignment>

  /// Reports task statuses by task id; may repeat, order decides by `TaskStatus.yields(to:)`. Returns when they are durable.
  func update(statuses: [String: TaskStatus]) async throws

  func report(traffic: TrafficReport) async

  /// Gives a container that is no task an address on an overlay network, or tells the one it has. Throws `RPCFailure` when it may not be
  /// there.
  func attach(_ request: NodeMessage.AttachRequest) async throws -> NodeMessage.AttachReply

  /// Whoever is not among them is on no network any more.
  func report(containers: NodeMessage.AttachedContainers) async throws
}

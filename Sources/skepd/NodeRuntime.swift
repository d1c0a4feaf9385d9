// SPDX-License-Identifier: Apache-2.0

import ClusterRPC
import NodeAgent

/// What runs while this host is in a swarm.
protocol NodeRuntime: Sendable {
  var clusterID: String { get }
  var nodeID: String { get }
  var agent: NodeAgent { get }

  /// Until cancelled or stopped; containers and traffic stay as they are. Once.
  func run() async

  /// Returns when everything of it has ended. `isLeaving`: others are to know that this host is not coming back.
  func stop(isLeaving: Bool) async

  /// The logs of a node's tasks; `nil` when the node cannot be asked.
  func logSource(forNode id: String) -> (any TaskLogSource)?
}

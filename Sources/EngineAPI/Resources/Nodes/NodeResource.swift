// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterStore

/// Writes of nodes.
package enum NodeResource {
  package static func update(
    _ id: String, to spec: NodeSpec, version: UInt64, now: Timestamp, in transaction: inout Transaction
  ) throws(SpecError) {
    let spec = try spec.checked()
    guard var node = transaction.node(id) else { throw SpecError(status: 404, "node \(id) not found") }
    if spec.role == "worker", node.spec.role == "manager" {
      guard transaction.nodes.count(where: { $0.spec.role == "manager" }) > 1 else {
        throw .failedPrecondition("attempting to demote the last manager of the swarm")
      }
    }
    if spec.role == "manager", node.spec.role != "manager" { throw .unsupported("promotions of workers") }
    guard version == node.version else { throw SpecError(rpc: .unknown, "update out of sequence") }
    node.spec = spec
    node.updatedAt = now
    transaction.put(node)
  }

  /// Forgets a node, and ends what is known of its tasks, so that the control loops replace them. More objects than one transaction
  /// may hold: the node goes last, so that a removal that was cut short can be asked for again.
  package static func remove(
    _ id: String, force: Bool, now: Timestamp, in transaction: inout Transaction
  ) throws(SpecError) {
    guard let node = transaction.node(id) else { throw SpecError(status: 404, "node \(id) not found") }
    if node.isManager || node.spec.role == "manager" {
      throw .failedPrecondition(
        "node \(id) is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal")
    }
    guard force || node.status.state == .down else {
      throw .failedPrecondition("node \(id) is not down and can't be removed")
    }
    for var task in transaction.tasks(onNode: id) where !task.state.isTerminal {
      task.status = TaskStatus(
        state: .orphaned, timestamp: now, message: "Task belonged to a node that has been deleted",
        containerID: task.status.containerID)
      task.updatedAt = now
      transaction.put(task)
    }
    for attachment in transaction.committedAttachments(onNode: id) { transaction.removeAttachment(attachment.id) }
    transaction.removeNode(id)
  }
}

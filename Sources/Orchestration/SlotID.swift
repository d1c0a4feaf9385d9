// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What stays the same when a task is replaced: the slot of a replicated service, the node of a global one.
struct SlotID: Hashable, Comparable, Sendable {
  var slot: Int
  /// Empty unless the service is global.
  var nodeID: String

  init(slot: Int) {
    self.slot = slot
    nodeID = ""
  }

  init(nodeID: String) {
    slot = 0
    self.nodeID = nodeID
  }

  static func < (left: SlotID, right: SlotID) -> Bool { (left.slot, left.nodeID) < (right.slot, right.nodeID) }
}

extension ClusterTask {
  var slotID: SlotID { slot > 0 ? SlotID(slot: slot) : SlotID(nodeID: nodeID) }
}

extension ClusterTask {
  var restartPolicy: RestartPolicy { template.spec.restartPolicy ?? RestartPolicy() }
}

// SPDX-License-Identifier: Apache-2.0

/// Why a manager may not leave without force, put together from swarm's parts.
package enum LeaveRefusal {
  /// `reachable` and `unreachable` count all managers, this one included; `nil` when this manager does not work.
  package static func text(managers: (reachable: Int, unreachable: Int)?) -> String {
    var text = "You are attempting to leave the swarm on a node that is participating as a manager. "
    if let (reachable, unreachable) = managers {
      if reachable == 1, unreachable == 0 {
        return text
          + "Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message. "
      }
      if reachable - 2 <= unreachable {
        text += "Removing this node leaves \(reachable - 1) managers out of \(reachable + unreachable). "
        text += "Without a Raft quorum your swarm will be inaccessible. "
      }
    } else {
      text += "Doing so may lose the consensus of your cluster. "
    }
    return text
      + "The only way to restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. "
      + "Use `--force` to suppress this message."
  }
}

// SPDX-License-Identifier: Apache-2.0

import Netfilter

/// What keeps new connections out of a container's network namespace that is about to end.
///
/// Attempts are dropped, not reset: their clients repeat them, and get another endpoint as soon as tables are without this one.
package enum ShutDoor {
  static let table = "skep-shut"

  /// `network` is a descriptor of the namespace. Blocks for some milliseconds.
  package static func shut(_ network: Int32) throws {
    try NFTables(network: network).run(
      """
      table inet \(table)
      delete table inet \(table)
      table inet \(table) {
        chain input {
          type filter hook input priority filter; policy accept;
          iifname != "lo" tcp flags & (fin|syn|rst|ack) == syn drop
        }
      }
      """)
  }
}

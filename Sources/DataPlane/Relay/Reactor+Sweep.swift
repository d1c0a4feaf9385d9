// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

// Connections that carry nothing. They are looked at now and then, so that those that do carry something pay nothing for it.
extension Reactor {
  mutating func sweepIfDue() {
    guard nextSweep <= now else { return }
    sweep()
    nextSweep = table.count == 0 ? .max : now + sweepInterval
  }

  /// A connection has come: from now on there is something to look at.
  mutating func sweepLater() {
    if nextSweep == .max { nextSweep = now + sweepInterval }
  }

  private mutating func sweep() {
    for index in table.indices where table[index].phase == .open {
      let carried = table[index].bytesIn &+ table[index].bytesOut
      if carried != table[index].seenBytes || table[index].seenAt == 0 {
        (table[index].seenBytes, table[index].seenAt) = (carried, now)
      } else {
        inspect(index, silentFor: now - table[index].seenAt)
      }
    }
  }

  private mutating func inspect(_ index: Int, silentFor silence: UInt64) {
    if let limit = idleLimits[Int(table[index].listener)], silence >= limit { return end(index, reset: true) }
    let (client, endpoint) = (table[side: 2 * index].descriptor, table[side: 2 * index + 1].descriptor)
    if !table[index].isProbed {
      // Only now: each of the many that end soon would pay for a timer.
      table[index].isProbed = true
      cl_keep_alive(client)
      cl_keep_alive(endpoint)
    }
    guard silence >= vanishLimit else { return }
    let limit = Int64(vanishLimit / 1_000_000)
    if cl_unheard_milliseconds(client) >= limit || cl_unheard_milliseconds(endpoint) >= limit { end(index, reset: true) }
  }

  /// What the table in force says, for the listeners that have connections.
  mutating func updateIdleLimits() {
    idleLimits = shared.withTable(\.idleLimits)
    sweepInterval = idleLimits.values.reduce(longestSweepInterval) { min($0, max(10_000_000, $1 / 8)) }
    if table.count > 0 { nextSweep = min(nextSweep, now + sweepInterval) }
  }
}

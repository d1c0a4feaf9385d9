// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import NodeAgent

extension AgentClock {
  /// The machine's own clocks.
  static var system: AgentClock {
    let start = ContinuousClock.now
    return AgentClock(
      now: { Now(wall: wallClock(), uptime: ContinuousClock.now - start) }, sleep: { try await Task.sleep(for: $0) })
  }

  private static func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import NodeAgent

/// The machine's clocks. Uptime counts through suspend, so that a laptop that slept does not think no time went by.
enum SystemClock {
  @Sendable static func now() -> Now {
    Now(wall: Timestamp(nanoseconds: read(CLOCK_REALTIME)), uptime: .nanoseconds(read(CLOCK_BOOTTIME)))
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension AgentClock {
  static let system = AgentClock(now: SystemClock.now) { try await Task.sleep(for: $0) }
}

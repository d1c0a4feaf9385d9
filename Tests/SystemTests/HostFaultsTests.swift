// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test(
    "10^5 requests while hosts are drained, paused, killed, cut, healed, rebooted, upgraded and joined: what a lost host had fails, no other",
    .timeLimit(.minutes(8)))
  func everyHostFault() async throws {
    try await Cluster.withWorkers { cluster in
      let faults = HostFaults(cluster)
      try await faults.prepare()
      let over = "\(cluster.fixture.playground.layout.directory)/over"
      async let load = cluster.clientLines(["load", cluster.fixture.host.address, "150", "700", over])
      do { try await faults.all() } catch { Issue.record("\(error)") }
      #expect(FileManager.default.createFile(atPath: over, contents: nil))
      let lines = try await load
      print("\(lines.last ?? "")")
      #expect(lines.last?.split(separator: " ").first.flatMap { Int($0) } ?? 0 >= 100_000)
      try faults.judge(FailedRequest.all(in: lines))
    }
  }
}

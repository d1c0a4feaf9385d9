// SPDX-License-Identifier: Apache-2.0

import Netlink
import NetworkTestKit
import Testing

@testable import Overlay

@Suite("The keeper of overlay networks")
struct OverlayKeeperTests {
  @Test(
    "leaves what it knows nothing of, then has what is wanted, puts back what somebody changes, and complains once",
    .timeLimit(.minutes(1)))
  func life() async throws {
    let log = LogLines()
    try await NetworkExecutor.run {
      let (keeper, socket, mesh) = (OverlayKeeper(logger: log.logger), try NetlinkSocket(.route), HostPair.mesh(of: 0))
      var lines = log.lines.makeAsyncIterator()
      func devices() throws -> [String] { try socket.links().map(\.name).filter { $0 != "lo" } }
      try TestNetwork.shell("ip link add skep-t9 type vxlan id 9 dstport 4789")
      await keeper.ensure()
      #expect(try devices() == ["skep-t9"])
      await keeper.want([OverlayNetworkTests.network([(6, 2)])], mesh)
      #expect(try devices() == ["skep-t4097"])

      try await withThrowingDiscardingTaskGroup { group in
        group.addTask { await keeper.run() }
        // The new address is what is noticed.
        try TestNetwork.shell("ip link delete skep-t4097 && ip address add 10.9.9.9/32 dev lo")
        #expect(await lines.next() == "warning: overlay networks' tunnels were changed by somebody; put back")
        #expect(try devices() == ["skep-t4097"])
        group.cancelAll()
      }

      await keeper.want([OverlayNetworkTests.network([(6, 2)])], nil)
      #expect(try devices() == [])
      try TestNetwork.shell("ip link add taken type vxlan id 4097 dstport 4789")
      await keeper.want([OverlayNetworkTests.network([(6, 2)])], mesh)
      await keeper.ensure()
      try TestNetwork.shell("ip link delete taken")
      await keeper.ensure()
      #expect(try devices() == ["skep-t4097"])
      try await OverlayKeeper.remove()
      #expect(try devices() == [])
      log.end()
      #expect(await lines.next() == "error: overlay networks do not reach other hosts")
      #expect(await lines.next() == nil)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Foundation
import Logging
import Netfilter
import Testing

@testable import Overlay

@Suite("Services' addresses on a host")
struct VirtualIPKeeperTests {
  private static func network(_ endpoints: [UInt32]) -> OverlayNetwork {
    let address = { (host: UInt32) in IPv4Address(bits: 0x0A00_0100 + host) }
    return OverlayNetwork(
      id: "n", name: "net", tunnel: 1, subnet: IPv4Subnet(base: address(0), prefix: 24), gateway: address(1),
      endpoints: [5, 6, 9].map { OverlayEndpoint(id: "c\($0)", names: ["c\($0)"], address: address($0), nodeID: "n1") },
      services: [
        OverlayService(id: "s", names: ["s"], virtualIP: address(2), strategy: .roundRobin, endpoints: endpoints.map(address))
      ])
  }

  /// What a process's namespace has of it.
  private static func rules(of process: Process) throws -> String {
    let network = open("/proc/\(process.processIdentifier)/ns/net", O_RDONLY | O_CLOEXEC)
    defer { close(network) }
    return (try? NFTables(network: network).run("list table ip skep")) ?? ""
  }

  @Test("are in force in each container that was entered, follow what changes, and make its name known")
  func life() async throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    // It says so when it is in a namespace of its own.
    let ready = Pipe()
    process.arguments = ["--net", "sh", "-c", "echo && exec sleep 60"]
    process.standardOutput = ready
    try process.run()
    defer { process.terminate() }
    let keeper = VirtualIPKeeper(logger: Logger(label: "addresses"))
    await keeper.know([Self.network([5])])
    #expect(await keeper.served.isEmpty)
    #expect(ready.fileHandleForReading.availableData.count == 1)
    try await keeper.enter("c9", process: Int(process.processIdentifier))
    #expect(try Self.rules(of: process).contains("dnat to ct mark map { 0x0a000105 : 10.0.1.5 }"))
    #expect(await keeper.served == [IPv4Address(bits: 0x0A00_0109)])
    await keeper.know([Self.network([6])])
    #expect(try Self.rules(of: process).contains("dnat to ct mark map { 0x0a000106 : 10.0.1.6 }"))
    await keeper.leave("c9")
    #expect(await keeper.served.isEmpty)
  }

  @Test("this host's own network is never touched")
  func host() async throws {
    let keeper = VirtualIPKeeper(logger: Logger(label: "addresses"))
    let (own, absent) = (Int(getpid()), Int(Int32.max))
    let refused = await #expect(throws: NetfilterError.self) { try await keeper.enter("c9", process: own) }
    #expect(refused?.message == "process \(own) is in this host's own network")
    let gone = await #expect(throws: NetfilterError.self) { try await keeper.enter("c9", process: absent) }
    #expect(gone?.message == "the network of process \(absent): No such file or directory")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import Glibc
import Netfilter
import Netlink
import NetworkTestKit
import Testing

@testable import Overlay

/// A client at 10.9.0.2, a host at 10.9.0.1, and behind it a container at 10.0.1.5 that listens at port 80.
private final class Crossing {
  let client: Int32
  let host: Int32
  let container: Int32
  let listener: Int32
  let kernel: OffloadKernel

  init() throws {
    client = try TestNetwork.make()
    host = try TestNetwork.make()
    container = try TestNetwork.make()
    try TestNetwork.cable("c", client, "out", host)
    try TestNetwork.cable("s", container, "in", host)
    try TestNetwork.inside(client) { try TestNetwork.shell("ip address add 10.9.0.2/24 dev c") }
    try TestNetwork.inside(container) {
      try TestNetwork.shell("ip address add 10.0.1.5/24 dev s && ip route add default via 10.0.1.1")
    }
    try TestNetwork.inside(host) {
      try TestNetwork.shell("ip address add 10.9.0.1/24 dev out && ip address add 10.0.1.1/24 dev in")
      try TestNetwork.shell("echo 1 > /proc/sys/net/ipv4/ip_forward")
    }
    listener = try TestNetwork.listen("10.0.1.5", isTCP: true, in: container)
    kernel = try TestNetwork.inside(host) { try OffloadKernel() }
    try install([8080, 8081])
  }

  /// All for port 80 of 10.0.1.`endpoint`.
  func install(_ ports: [UInt16], endpoint: UInt32 = 5) throws {
    let listeners = ports.map { port in
      Listener(
        id: "s/\(port)/tcp", port: port, mayOffload: true,
        endpoints: [Endpoint(id: "t", address: IPv4Address(bits: 0x0A00_0100 + endpoint), port: 80, state: .ready)])
    }
    let inside = ["127.0.0.0/8"].compactMap { IPv4Subnet($0) }
    try kernel.ensure(OffloadRules(EndpointTable(generation: 1, listeners: listeners), inside: inside, interfaces: ["in"]))
  }

  deinit { for descriptor in [client, host, container, listener] { close(descriptor) } }

  /// Begins to connect, and does not wait.
  func begin(_ port: UInt16) throws -> TestSocket {
    try TestNetwork.inside(client) {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      _ = SocketPlace("10.9.0.1", port).use { connect(descriptor, $0, $1) }
      return TestSocket(descriptor)
    }
  }

  func isConnected(_ socket: TestSocket) -> Bool {
    var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&waiting, 1, 2_000) == 1 && waiting.revents == Int16(POLLOUT)
  }

  func isReadable(_ socket: TestSocket) -> Bool {
    var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 2_000) == 1
  }
}

extension OffloadTests {
  /// What a client says after an answer does not leave it.
  private static let late = """
    table ip late {
      chain out {
        type filter hook output priority 0
        tcp flags & (syn|ack) == ack drop
      }
    }
    """

  @Test("an attempt is forgotten alone, and those beside it at the same endpoint become connections")
  func alone() async throws {
    try await inNamespaceOfItsOwn {
      let crossing = try Crossing()
      let acknowledgements = try NFTables(network: crossing.client)
      try acknowledgements.run(Self.late)
      let sockets = [try crossing.begin(8080), try crossing.begin(8080)]
      #expect(sockets.allSatisfy(crossing.isConnected))
      let attempts = try crossing.kernel.attempts()
      #expect(attempts.map(\.isRefused) == [false, false])
      #expect(try crossing.kernel.approached().count == 1)

      try crossing.kernel.releaseRefused()
      #expect(try crossing.kernel.attempts().count == 2)
      try NetlinkSocket(.netfilter, network: crossing.host).forget(try #require(attempts.first))
      #expect(try crossing.kernel.attempts() == Array(attempts.dropFirst()))
      try acknowledgements.run("delete table ip late")
      for socket in sockets { #expect(socket.send() == 1) }
      #expect(TestSocket(accept(crossing.listener, nil, nil)).receive() == 1)
    }
  }

  @Test("an endpoint that is gone releases attempts that nobody answered, and none that was")
  func gone() async throws {
    try await inNamespaceOfItsOwn {
      let crossing = try Crossing()
      let acknowledgements = try NFTables(network: crossing.client)
      try acknowledgements.run(Self.late)
      let open = try crossing.begin(8080)
      #expect(crossing.isConnected(open))
      try ShutDoor.shut(crossing.container)
      let unanswered = try crossing.begin(8080)
      #expect(!crossing.isConnected(unanswered))
      #expect(try crossing.kernel.attempts().count == 2)

      try crossing.kernel.release([IPv4Address(bits: 0x0A00_0105)])
      #expect(try crossing.kernel.attempts().count == 1)
      try acknowledgements.run("delete table ip late")
      #expect(open.send() == 1)
      #expect(TestSocket(accept(crossing.listener, nil, nil)).receive() == 1)
      try crossing.kernel.forget(IPv4Address(bits: 0x0A00_0105))
      let tracked = try NetlinkSocket(.netfilter, network: crossing.host)
      #expect(try tracked.connections(mark: OffloadMark.bit, mask: OffloadMark.bit) == [])
    }
  }

  @Test("what is carried is counted by port and endpoint, over changes of the rules, and what has gone is its port's")
  func counts() async throws {
    try await inNamespaceOfItsOwn {
      let crossing = try Crossing()
      let endpoint = OffloadCounts.Key(port: 8080, endpoint: IPv4Address(bits: 0x0A00_0105))
      var open: [TestSocket] = []
      for _ in 0..<3 {
        let socket = try crossing.begin(8080)
        #expect(crossing.isConnected(socket) && socket.send(10) == 10)
        open.append(socket)
      }
      let servers = (0..<3).map { _ in TestSocket(accept(crossing.listener, nil, nil)) }
      for server in servers { #expect(server.receive() == 10 && server.send(7) == 7) }
      for socket in open { #expect(crossing.isReadable(socket)) }
      let first = try crossing.kernel.counts()[endpoint]
      #expect(first.connections == 3 && first.open == 3)
      #expect(first.bytesIn > 3 * (10 + 3 * 40) && first.bytesOut > 3 * (7 + 2 * 40))

      // Another port less.
      try crossing.install([8080])
      #expect(try crossing.kernel.counts()[endpoint] == first)
      try crossing.install([8080], endpoint: 6)
      let gone = try crossing.kernel.counts()
      #expect(gone[.init(port: 8080, endpoint: nil)].connections == 3)
      #expect(gone[.init(port: 8080, endpoint: IPv4Address(bits: 0x0A00_0106))] == .init())
      try crossing.install([8081])
      #expect(try crossing.kernel.counts()[.init(port: 8080, endpoint: nil)] == .init())
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import Netlink
import Testing

/// Two network namespaces with a cable between: a client at 10.0.1.9, and endpoints at 10.0.1.5 to 10.0.1.7 with port 80.
///
/// For one thread, which has been in a namespace of its own before.
final class ContainerPair {
  static let endpoints: [UInt8] = [5, 6, 7]

  let client: Int32
  let servers: Int32
  private var listeners: [(endpoint: UInt8, isTCP: Bool, descriptor: Int32)] = []

  init() throws {
    client = try TestNetwork.make()
    servers = try TestNetwork.make()
    try TestNetwork.cable("s", servers, "c", client)
    try TestNetwork.inside(servers) {
      for endpoint in Self.endpoints { try TestNetwork.shell("ip address add 10.0.1.\(endpoint)/24 dev s") }
    }
    try TestNetwork.inside(client) { try TestNetwork.shell("ip address add 10.0.1.9/24 dev c") }
    for endpoint in Self.endpoints {
      for isTCP in [true, false] {
        listeners.append((endpoint, isTCP, try TestNetwork.listen("10.0.1.\(endpoint)", isTCP: isTCP, in: servers)))
      }
    }
  }

  deinit { for descriptor in [client, servers] + listeners.map(\.descriptor) { close(descriptor) } }

  /// The client's socket, connected to port 80.
  func connect(_ address: String = "10.0.1.2", isTCP: Bool = true) throws -> TestSocket {
    try TestNetwork.connect(address, isTCP: isTCP, in: client)
  }

  /// The endpoint that has a new connection or datagram, and its side of it.
  func arrival(isTCP: Bool = true) -> (endpoint: UInt8, socket: TestSocket)? {
    var waiting = listeners.filter { $0.isTCP == isTCP }.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    guard poll(&waiting, nfds_t(waiting.count), 2_000) > 0, let ready = waiting.first(where: { $0.revents != 0 })?.fd else {
      return nil
    }
    guard let endpoint = listeners.first(where: { $0.descriptor == ready })?.endpoint else { return nil }
    if isTCP { return (endpoint, TestSocket(accept(ready, nil, nil))) }
    var bytes = [UInt8](repeating: 0, count: 16)
    recv(ready, &bytes, bytes.count, 0)
    return (endpoint, TestSocket(dup(ready)))
  }

  /// Which endpoints so many new connections get.
  func endpoints(of count: Int, isTCP: Bool = true) throws -> [UInt8] {
    try (0..<count).map { _ in
      let socket = try connect(isTCP: isTCP)
      if !isTCP { #expect(socket.send() == 1) }
      return try #require(arrival(isTCP: isTCP)).endpoint
    }
  }

  /// Whether an echo request is answered, in the name of whoever was asked.
  func isAlive(_ address: String) throws -> Bool { try TestNetwork.isAlive(address, in: client) }
}

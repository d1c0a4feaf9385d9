// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Foundation
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
    client = try Self.namespace()
    servers = try Self.namespace()
    try inside(servers) {
      // By a process: the cable's other end goes to another namespace.
      try Self.shell(
        "ip link set lo up && ip link add s type veth peer name c netns /proc/\(getpid())/fd/\(client) && ip link set s up")
      for endpoint in Self.endpoints { try Self.shell("ip address add 10.0.1.\(endpoint)/24 dev s") }
    }
    try inside(client) { try Self.shell("ip link set lo up && ip link set c up && ip address add 10.0.1.9/24 dev c") }
    for endpoint in Self.endpoints {
      for isTCP in [true, false] { listeners.append((endpoint, isTCP, try listen("10.0.1.\(endpoint)", isTCP: isTCP))) }
    }
  }

  deinit { for descriptor in [client, servers] + listeners.map(\.descriptor) { close(descriptor) } }

  private static func namespace() throws -> Int32 {
    guard cl_unshare_network() == 0 else { throw NetlinkError(errno, "unshare") }
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
  }

  func inside<Value>(_ network: Int32, _ body: () throws -> Value) throws -> Value {
    let own = cl_enter_network(network)
    guard own >= 0 else { throw NetlinkError(-own, "entering a namespace") }
    defer { cl_leave_network(own) }
    return try body()
  }

  /// In the calling thread's namespace, as a child of it is.
  private static func shell(_ command: String) throws {
    guard system(command) == 0 else { throw NetlinkError(EINVAL, command) }
  }

  private func listen(_ address: String, isTCP: Bool) throws -> Int32 {
    try inside(servers) {
      let descriptor = Self.socket(isTCP: isTCP)
      guard SocketPlace(address, 80).use({ bind(descriptor, $0, $1) }) == 0 else { throw NetlinkError(errno, "bind") }
      if isTCP { Glibc.listen(descriptor, 64) }
      return descriptor
    }
  }

  private static func socket(isTCP: Bool) -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32((isTCP ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    return descriptor
  }

  /// The client's socket, connected to port 80.
  func connect(_ address: String = "10.0.1.2", isTCP: Bool = true) throws -> TestSocket {
    try inside(client) {
      let connection = TestSocket(Self.socket(isTCP: isTCP))
      guard SocketPlace(address, 80).use({ Glibc.connect(connection.descriptor, $0, $1) }) == 0 else {
        throw NetlinkError(errno, "connect")
      }
      return connection
    }
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
  func isAlive(_ address: String) throws -> Bool {
    try inside(client) {
      let socket = TestSocket(Glibc.socket(AF_INET, Int32(SOCK_RAW.rawValue), Int32(IPPROTO_ICMP)))
      var patience = timeval(tv_sec: 1, tv_usec: 0)
      setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
      guard SocketPlace(address, 0).use({ Glibc.connect(socket.descriptor, $0, $1) }) == 0 else {
        throw NetlinkError(errno, "connect")
      }
      // An echo request with its checksum.
      let request: [UInt8] = [8, 0, 0xF7, 0xFF, 0, 0, 0, 0]
      guard Glibc.send(socket.descriptor, request, request.count, 0) == request.count else { return false }
      var answer = [UInt8](repeating: 0, count: 64)
      // Behind an IPv4 header of 20 bytes, an echo reply.
      return recv(socket.descriptor, &answer, answer.count, 0) >= 28 && answer[20] == 0
    }
  }
}

final class TestSocket {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  @discardableResult
  func send() -> Int { Glibc.send(descriptor, "x", 1, Int32(MSG_NOSIGNAL)) }

  /// How many bytes came, or the error's number as a negative one.
  func receive() -> Int {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    return count < 0 ? -Int(errno) : count
  }
}

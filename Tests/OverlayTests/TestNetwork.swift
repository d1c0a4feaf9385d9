// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc
import Netlink

/// Network namespaces by their descriptors, for a thread that has been in one of its own before.
enum TestNetwork {
  /// With its loopback interface. The thread is in it afterwards.
  static func make() throws -> Int32 {
    guard cl_unshare_network() == 0 else { throw NetlinkError(errno, "unshare") }
    try shell("ip link set lo up")
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
  }

  static func inside<Value>(_ network: Int32, _ body: () throws -> Value) throws -> Value {
    let own = cl_enter_network(network)
    guard own >= 0 else { throw NetlinkError(-own, "entering a namespace") }
    defer { cl_leave_network(own) }
    return try body()
  }

  /// In the calling thread's namespace, as a child of it is.
  static func shell(_ command: String) throws {
    guard system(command) == 0 else { throw NetlinkError(EINVAL, command) }
  }

  /// Between two namespaces; `settings` are of the other end.
  static func cable(_ name: String, _ network: Int32, _ otherName: String, _ other: Int32, _ settings: String = "") throws {
    // By a process: the cable's other end goes to another namespace.
    try inside(network) {
      try shell(
        "ip link add \(name) type veth peer name \(otherName) \(settings) netns /proc/\(getpid())/fd/\(other) && ip link set \(name) up"
      )
    }
    try inside(other) { try shell("ip link set \(otherName) up") }
  }

  static func listen(_ address: String, isTCP: Bool, in network: Int32) throws -> Int32 {
    try inside(network) {
      let descriptor = socket(isTCP ? SOCK_STREAM : SOCK_DGRAM)
      guard SocketPlace(address, 80).use({ bind(descriptor, $0, $1) }) == 0 else { throw NetlinkError(errno, "bind") }
      if isTCP { Glibc.listen(descriptor, 64) }
      return descriptor
    }
  }

  /// To port 80.
  static func connect(_ address: String, isTCP: Bool = true, in network: Int32) throws -> TestSocket {
    try inside(network) {
      let connection = TestSocket(socket(isTCP ? SOCK_STREAM : SOCK_DGRAM))
      guard SocketPlace(address, 80).use({ Glibc.connect(connection.descriptor, $0, $1) }) == 0 else {
        throw NetlinkError(errno, "connect")
      }
      return connection
    }
  }

  /// Whether an echo request is answered, in the name of whoever was asked.
  static func isAlive(_ address: String, in network: Int32) throws -> Bool {
    try inside(network) {
      let socket = TestSocket(socket(SOCK_RAW, Int32(IPPROTO_ICMP), patience: 1))
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

  private static func socket(_ type: __socket_type, _ transport: Int32 = 0, patience: Int = 2) -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), transport)
    var patience = timeval(tv_sec: patience, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    return descriptor
  }
}

final class TestSocket {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  @discardableResult
  func send(_ count: Int = 1) -> Int {
    Glibc.send(descriptor, [UInt8](repeating: 7, count: count), count, Int32(MSG_NOSIGNAL))
  }

  /// How many bytes came, or the error's number as a negative one.
  func receive(_ most: Int = 16) -> Int {
    var bytes = [UInt8](repeating: 0, count: most)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    return count < 0 ? -Int(errno) : count
  }
}

// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Synchronization

/// A network namespace, open for questions about its sockets. It lives at least as long as this.
package final class NetworkNamespace: Sendable {
  /// Of netlink; tells of the namespace it was made in, whoever asks, but one at a time.
  private let descriptor: Mutex<Int32>
  /// Of the namespace itself, open for as long as this is there.
  package let network: Int32

  private init(descriptor: Int32, network: Int32) {
    self.descriptor = Mutex(descriptor)
    self.network = network
  }

  deinit {
    close(descriptor.withLock { $0 })
    close(network)
  }

  /// That of a process, by its id here. Never this host's own.
  ///
  /// Throws `DataPlaneError`: `absent` when there is no such process, `hostNetwork` when it has no namespace of its own.
  package static func of(process: Int) async throws -> NetworkNamespace {
    try await onThread { try open(process) }
  }

  /// Connections from outside the namespace to any of the ports that it would cut to end the namespace now. A consistent moment is not
  /// promised: what begins meanwhile may be missed.
  package func openConnections(toPorts ports: Set<UInt16>) async throws -> Int {
    try await Self.onThread { try self.count(ports) }
  }

  /// The same for all ports that something in it listens on.
  package func openConnections() async throws -> Int { try await Self.onThread { try self.count(nil) } }

  /// - Parameter ports: `nil` for all that something listens on.
  func count(_ ports: Set<UInt16>?) throws(DataPlaneError) -> Int {
    try descriptor.withLock { descriptor throws(DataPlaneError) in
      let ports = if let ports { ports } else { try Self.listeningPorts(descriptor) }
      var count = 0
      for port in ports.sorted() {
        for family in [AF_INET, AF_INET6] {
          let asked = cl_tcp_sockets_ask(descriptor, family, port)
          count += try Self.answer(descriptor, asked).compactMap { TCPSocket($0) }.count(where: \.isOpen)
        }
      }
      return count
    }
  }

  /// A thread of its own: it changes namespaces, and the kernel may take milliseconds to answer.
  package static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DedicatedThread.start { continuation.resume(with: Result { try body() }) }
    }
  }

  static func open(_ process: Int) throws(DataPlaneError) -> NetworkNamespace {
    let path = "/proc/\(process)/ns/net"
    let network = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard network >= 0 else {
      let code: DataPlaneError.Code = errno == ENOENT || errno == ESRCH ? .absent : .system
      throw DataPlaneError(code, "open \(path)", errno: errno)
    }
    var isKept = false
    defer { if !isKept { close(network) } }
    guard let its = FileIdentity(descriptor: network), let own = FileIdentity(following: "/proc/self/ns/net"), its != own else {
      throw DataPlaneError(.hostNetwork, "process \(process) is in this host's own network")
    }
    let descriptor = cl_tcp_sockets_open(network)
    guard descriptor >= 0 else { throw .system("enter \(path)", descriptor) }
    isKept = true
    return NetworkNamespace(descriptor: descriptor, network: network)
  }

  private static func listeningPorts(_ descriptor: Int32) throws(DataPlaneError) -> Set<UInt16> {
    var ports: Set<UInt16> = []
    for family in [AF_INET, AF_INET6] {
      ports.formUnion(try answer(descriptor, cl_tcp_listeners_ask(descriptor, family)).map(\.local_port))
    }
    return ports
  }

  /// To what has been asked, with that outcome.
  private static func answer(_ descriptor: Int32, _ asked: Int32) throws(DataPlaneError) -> [cl_tcp_socket] {
    guard asked == 0 else { throw .system("ask for sockets", asked) }
    var found: [cl_tcp_socket] = []
    var part = [cl_tcp_socket](repeating: cl_tcp_socket(), count: Int(CL_TCP_SOCKETS_PER_PACKET))
    var isLast: Int32 = 0
    while isLast == 0 {
      let count = cl_tcp_sockets_next(descriptor, &part, &isLast)
      guard count >= 0 else { throw .system("ask for sockets", count) }
      found += part.prefix(Int(count))
    }
    return found
  }
}

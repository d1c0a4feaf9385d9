// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPWire

/// A bound socket that takes clients. Whoever accepts on the descriptor owns it.
protocol ListeningSocket: Sendable {
  var descriptor: CInt { get }
  /// Whether clients still find it.
  var presence: SocketPresence { get }
  /// Takes away what is left of it when nobody listens any more.
  func remove()
}

enum SocketPresence {
  case ours
  case missing
  /// Somebody else put a file there.
  case replaced
}

/// A TCP port on one of this host's addresses, or on all.
struct InternetSocket: ListeningSocket {
  let descriptor: CInt
  var presence: SocketPresence { .ours }

  init(host: String, port: UInt16) throws {
    let family = host.contains(":") ? AF_INET6 : AF_INET
    let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Self.failure("socket", host, port) }
    // A port that a connection of an earlier skepd still uses is free.
    var one: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
    let isBound = family == AF_INET6 ? Self.bind6(descriptor, host, port) : Self.bind4(descriptor, host, port)
    guard isBound, listen(descriptor, ByteChannel.backlog) == 0 else {
      let error = Self.failure(isBound ? "listen" : "bind", host, port)
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  func remove() {}

  private static func bind4(_ descriptor: CInt, _ host: String, _ port: UInt16) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    return inet_pton(AF_INET, host, &address.sin_addr) == 1 && bind(descriptor, &address)
  }

  private static func bind6(_ descriptor: CInt, _ host: String, _ port: UInt16) -> Bool {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    return inet_pton(AF_INET6, host, &address.sin6_addr) == 1 && bind(descriptor, &address)
  }

  private static func bind<Address>(_ descriptor: CInt, _ address: inout Address) -> Bool {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
      }
    }
  }

  private static func failure(_ call: String, _ host: String, _ port: UInt16) -> FrontError {
    let address = ListenAddress.tcp(host: host, port: port)
    return FrontError(code: .system, message: "cannot listen on \(address): \(call): \(String(cString: strerror(errno)))")
  }
}

// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc

/// skepd's duplicates of the listening sockets, by port. As long as one exists the kernel goes on queueing clients, whatever
/// happens to the relay.
struct KeptSockets: ~Copyable {
  static let backlog: Int32 = 4096

  private var descriptors: [ListenerPort: Int32] = [:]

  subscript(port: ListenerPort) -> Int32? { descriptors[port] }

  /// Binds what is not bound. `nil`, or the errno.
  mutating func bind(_ port: ListenerPort) -> Int32? {
    guard descriptors[port] == nil else { return nil }
    let descriptor =
      switch port.transport {
      case .tcp: cl_listen(port.number, Self.backlog)
      case .udp: cl_bind_datagram(port.number)
      }
    guard descriptor >= 0 else { return -descriptor }
    descriptors[port] = descriptor
    return nil
  }

  /// Takes a duplicate the relay handed over; ours, where there is one, is the same socket.
  mutating func adopt(_ port: ListenerPort, _ descriptor: Int32) {
    guard descriptors[port] == nil, port.transport.isServed(by: descriptor) else {
      Glibc.close(descriptor)
      return
    }
    descriptors[port] = descriptor
  }

  /// Frees ports for good: closing alone would not, while a process that is just being started still has copies.
  mutating func close(where isUnwanted: (ListenerPort) -> Bool) {
    for (port, descriptor) in descriptors where isUnwanted(port) {
      shutdown(descriptor, Int32(SHUT_RDWR))
      Glibc.close(descriptor)
      descriptors[port] = nil
    }
  }

  deinit {
    for descriptor in descriptors.values { Glibc.close(descriptor) }
  }
}

extension Transport {
  /// Whether the descriptor is a socket that takes this transport's clients.
  func isServed(by descriptor: Int32) -> Bool {
    switch self {
    case .tcp: cl_is_listening(descriptor) != 0
    case .udp: cl_is_bound_datagram(descriptor) != 0
    }
  }
}

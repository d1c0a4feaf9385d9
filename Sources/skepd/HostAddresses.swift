// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterTransport
import Foundation
import Glibc

/// This host's own addresses, for the choice of one to advertise.
enum HostAddresses {
  static func all() throws -> [SystemAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else {
      throw StateError(description: "this host's addresses cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { freeifaddrs(list) }
    var addresses: [SystemAddress] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let socket = entry.ifa_addr, let text = text(of: socket) else { continue }
      let name = String(cString: entry.ifa_name)
      let isLoopback = entry.ifa_flags & UInt32(IFF_LOOPBACK) != 0
      addresses.append(
        SystemAddress(interface: name, address: text, isLocal: isLoopback || text.hasPrefix("fe80:"), isBridge: isBridge(name)))
    }
    return addresses
  }

  /// The address of this host that packets to `remote`, `host:port`, leave from.
  static func local(toward remote: String) throws -> String {
    let host = HostPort.split(remote)?.host ?? remote
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "2377", &hints, &found) == 0, let target = found else {
      throw StateError(description: "\(host) cannot be looked up")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(target.pointee.ai_family, target.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var own = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // Connecting a datagram socket sends nothing: it only chooses a route.
    let text = withUnsafeMutableBytes(of: &own) { bytes -> String? in
      guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        connect(descriptor, target.pointee.ai_addr, target.pointee.ai_addrlen) == 0,
        getsockname(descriptor, address, &length) == 0
      else { return nil }
      return self.text(of: address)
    }
    guard let text else { throw StateError(description: "there is no way from this host to \(host)") }
    return text
  }

  private static func text(of socket: UnsafeMutablePointer<sockaddr>) -> String? {
    let family = Int32(socket.pointee.sa_family)
    guard family == AF_INET || family == AF_INET6 else { return nil }
    let length = socklen_t(family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
    var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard getnameinfo(socket, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return String(text.prefix { $0 != "%" })
  }

  private static func isBridge(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: "/sys/class/net/\(name)/bridge") || name.hasPrefix("docker") || name.hasPrefix("br-")
      || name.hasPrefix("skep")
  }
}

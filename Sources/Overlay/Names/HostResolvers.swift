// SPDX-License-Identifier: Apache-2.0

import Glibc
package import NIOCore

/// The servers that this host asks for names.
package enum HostResolvers {
  /// As in the resolver's file at the moment; empty when there is none.
  @Sendable
  package static func servers() -> [SocketAddress] {
    let file = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = read(file, &bytes, bytes.count)
    return servers(String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
  }

  /// The first three, as the C library takes them (`man resolv.conf`); what is no address is left out.
  static func servers(_ text: String) -> [SocketAddress] {
    let found = text.split(whereSeparator: \.isNewline).compactMap { line -> SocketAddress? in
      let words = line.split { $0 == " " || $0 == "\t" }
      guard words.count >= 2, words[0] == "nameserver" else { return nil }
      return try? SocketAddress(ipAddress: String(words[1]), port: 53)
    }
    return Array(found.prefix(3))
  }
}

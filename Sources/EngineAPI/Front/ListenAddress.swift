// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Foundation

/// Where the front accepts clients.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A unix socket with mode 0660. Where `group` exists on this host, the socket is given to it.
  case unix(path: String, group: String? = "docker")
  /// An address of this host, in numbers.
  case tcp(host: String, port: UInt16)

  /// `127.0.0.1:9323`, `[::1]:9323` or `localhost:9323`; nil for anything else. All addresses are `0.0.0.0` and `[::]`.
  package init?(tcp text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
      text.hasSuffix(":\(port)")
    else { return nil }
    let host = text[..<colon]
    if host == "localhost" {
      self = .tcp(host: "127.0.0.1", port: port)
    } else if IPv4Address(host) != nil {
      self = .tcp(host: String(host), port: port)
    } else if host.hasPrefix("["), host.hasSuffix("]") {
      let address = String(host.dropFirst().dropLast())
      var bytes = in6_addr()
      guard inet_pton(AF_INET6, address, &bytes) == 1 else { return nil }
      self = .tcp(host: address, port: port)
    } else {
      return nil
    }
  }

  /// Makes the folder that the socket is in, if it is missing.
  func makeFolder() throws {
    switch self {
    case .unix(let path, _):
      let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
      try FileManager.default.createDirectory(atPath: folder.isEmpty ? "/" : folder, withIntermediateDirectories: true)
    case .tcp: break
    }
  }

  package var description: String {
    switch self {
    case .unix(let path, _): "unix://\(path)"
    case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }
  }
}

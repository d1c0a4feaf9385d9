// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where the front accepts clients.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A unix socket with mode 0660. Where `group` exists on this host, the socket is given to it.
  case unix(path: String, group: String? = "docker")

  /// Makes the folder that the socket is in, if it is missing.
  func makeFolder() throws {
    switch self {
    case .unix(let path, _):
      let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
      try FileManager.default.createDirectory(atPath: folder.isEmpty ? "/" : folder, withIntermediateDirectories: true)
    }
  }

  package var description: String {
    switch self {
    case .unix(let path, _): "unix://\(path)"
    }
  }
}

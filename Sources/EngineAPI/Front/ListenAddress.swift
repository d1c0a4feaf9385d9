// SPDX-License-Identifier: Apache-2.0

/// Where the front accepts clients.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A unix socket with mode 0660. Where `group` exists on this host, the socket is given to it.
  case unix(path: String, group: String? = "docker")

  package var description: String {
    switch self {
    case .unix(let path, _): "unix://\(path)"
    }
  }
}

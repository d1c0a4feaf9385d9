// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What went wrong with a socket, a process or a peer.
package struct DataPlaneError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    /// The operating system refused; `errno` says why.
    case system
    /// The other side of the control socket sent what this side does not understand.
    case `protocol`
    /// The relay did not understand, or cannot use, what it was told; it goes on as before.
    case refused
    /// Another process holds the control socket, or took it over.
    case superseded
    /// The supervisor is not running, or stopped while the call waited.
    case stopped
    /// Too many calls are waiting.
    case busy
    /// There is no such process.
    case absent
    /// A process shares this host's network.
    case hostNetwork
  }

  package let code: Code
  package let message: String
  package let errno: Int32?

  package init(_ code: Code, _ message: String, errno: Int32? = nil) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  /// `number` as C returns it from our wrappers: negative.
  static func system(_ operation: String, _ number: some BinaryInteger) -> DataPlaneError {
    DataPlaneError(.system, operation, errno: abs(Int32(number)))
  }

  package var description: String {
    guard let errno else { return message }
    return "\(message): \(Self.text(of: errno))"
  }

  package static func text(of number: Int32) -> String {
    String(cString: strerror(number))
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Why the front cannot listen.
package struct FrontError: Error, CustomStringConvertible {
  package enum Code: Sendable {
    /// Another process answers on the socket.
    case socketInUse
    /// Something that is no socket is in the way.
    case notASocket
    /// The system refused; the message says what.
    case system
  }

  package var code: Code
  package var message: String

  package var description: String { message }
}

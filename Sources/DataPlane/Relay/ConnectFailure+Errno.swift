// SPDX-License-Identifier: Apache-2.0

import Balancing
import Glibc

extension ConnectFailure {
  /// What the kernel said of a connection that was not made.
  init(errno number: Int32) {
    self =
      switch number {
      case ECONNREFUSED: .refused
      case ETIMEDOUT: .timedOut
      case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN: .unreachable
      default: .other
      }
  }

  /// Why the socket could not be connected. The kernel tells once.
  init(of descriptor: Int32) {
    var number: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    self.init(errno: getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : 0)
  }
}

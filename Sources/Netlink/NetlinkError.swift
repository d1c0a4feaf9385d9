// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The kernel refused a request, or did not understand it.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A positive errno.
  package let errno: Int32
  /// What was asked for.
  package let request: String

  package init(_ errno: Int32, _ request: String) {
    self.errno = errno
    self.request = request
  }

  /// What was to be removed or changed is not there.
  package var isAbsent: Bool { [ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL].contains(errno) }
  package var isPresent: Bool { errno == EEXIST }

  package var description: String { "\(request): \(String(cString: strerror(errno)))" }
}

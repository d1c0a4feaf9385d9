// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// What started us, if it is systemd: told of our state, and known to read our log.
package enum ServiceManager {
  package enum State: String, Sendable {
    case ready = "READY=1"
    case stopping = "STOPPING=1"
  }

  /// Does nothing when nobody asked to be told (`sd_notify(3)`).
  package static func tell(_ state: State) {
    guard let socket = variable("NOTIFY_SOCKET") else { return }
    _ = cl_send_datagram(socket, state.rawValue)
  }

  /// Whether standard error goes to the journal, which adds the time itself and reads a priority such as `<3>` from each line.
  package static var readsStandardError: Bool { isJournal(variable("JOURNAL_STREAM") ?? "", descriptor: STDERR_FILENO) }

  /// `stream` is `DEVICE:INODE`. The variable alone says nothing: it is inherited by programs whose output goes elsewhere.
  static func isJournal(_ stream: String, descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

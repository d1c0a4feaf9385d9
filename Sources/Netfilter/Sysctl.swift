// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// The kernel's settings of this network namespace.
package enum Sysctl {
  /// Whether it was possible. `name` with slashes, as under `/proc/sys`.
  @discardableResult
  package static func set(_ name: String, _ value: String) -> Bool {
    let file = open("/proc/sys/\(name)", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return write(file, value, value.utf8.count) == value.utf8.count
  }

  /// Of another namespace, by a descriptor of it. The calling thread is there for a moment.
  @discardableResult
  package static func set(_ name: String, _ value: String, network: Int32) -> Bool {
    let own = cl_enter_network(network)
    guard own >= 0 else { return false }
    defer { cl_leave_network(own) }
    return set(name, value)
  }

  /// Without the line's end; `nil` when there is no such setting.
  package static func get(_ name: String) -> String? {
    let file = open("/proc/sys/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(file, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self)
  }
}

// SPDX-License-Identifier: Apache-2.0

/// `host:port` as a manager's address is written; IPv6 in brackets.
package enum HostPort {
  /// `nil` for anything else. A port is needed.
  package static func split(_ text: String) -> (host: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), port) }
    return host.isEmpty || host.contains(":") ? nil : (String(host), port)
  }

  package static func join(_ host: String, _ port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

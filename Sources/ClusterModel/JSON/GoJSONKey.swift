// SPDX-License-Identifier: Apache-2.0

/// How a property's name becomes a key of the Engine API, so that no type needs a list of coding keys.
enum GoJSONKey {
  /// Names whose first letters are one initialism in Go.
  private static let initialisms = [
    "id", "ip", "ipam", "os", "uid", "gid", "pid", "tty", "dns", "tls", "ca", "url", "cpu", "vip", "oom", "csi",
  ]

  /// `nodeID` → `NodeID`, `dnsConfig` → `DNSConfig`, `id` → `ID`.
  static func name(_ property: String) -> String {
    let head = property.prefix { $0.isLowercase }
    let tail = property.dropFirst(head.count)
    if initialisms.contains(String(head)), property != "oomScoreAdj" { return head.uppercased() + tail }
    return property.prefix(1).uppercased() + property.dropFirst()
  }
}

/// A map whose keys are the user's own: neither renamed nor looked up in another case, and printed sorted, as Go does.
protocol StringKeyedMap {}
extension Dictionary: StringKeyedMap where Key == String {}

/// A key of any name, for error paths.
struct PathKey: CodingKey {
  var stringValue: String
  var intValue: Int?
  init(stringValue: String) { self.stringValue = stringValue }
  init(intValue: Int) {
    self.intValue = intValue
    self.stringValue = String(intValue)
  }
}

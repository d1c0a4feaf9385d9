// SPDX-License-Identifier: Apache-2.0

/// How a property's name becomes a key of the Engine API, so that no type needs a list of coding keys.
enum GoJSONKey {
  /// Names whose first letters are one initialism in Go.
  private static let initialisms: Set = [
    "id", "ip", "ipam", "os", "uid", "gid", "pid", "tty", "dns", "tls", "ca", "url", "cpu", "vip", "oom", "csi",
  ]

  /// `nodeID` → `NodeID`, `dnsConfig` → `DNSConfig`, `id` → `ID`.
  static func name(_ property: String) -> String {
    // By bytes, as names are ASCII: looking up properties of characters would be most of the time an encoding takes.
    let bytes = property.utf8
    let head = bytes.prefix { isLowercase($0) }
    let isInitialism = head.count <= 4 && property != "oomScoreAdj" && initialisms.contains(String(Substring(head)))
    let raised = isInitialism ? head.count : 1
    return String(decoding: bytes.prefix(raised).map { isLowercase($0) ? $0 - 32 : $0 } + bytes.dropFirst(raised), as: UTF8.self)
  }

  /// Whether a key that a client wrote names the property, which is ASCII, in whatever case.
  static func matches(_ property: String, _ key: String) -> Bool {
    let (wanted, found) = (property.utf8, key.utf8)
    if wanted.count == found.count, zip(wanted, found).allSatisfy({ lowered($0) == lowered($1) }) { return true }
    // Other letters may stand for an ASCII one: the Kelvin sign for k, as in Go.
    return found.contains { $0 >= 0x80 } && property.lowercased() == key.lowercased()
  }

  private static func lowered(_ byte: UInt8) -> UInt8 { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte + 32 : byte }
  private static func isLowercase(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
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

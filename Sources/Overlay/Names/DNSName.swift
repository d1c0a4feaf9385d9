// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// A domain name (RFC 1035, section 3.1), in the letters it was asked with.
struct DNSName: Sendable, Hashable {
  /// From the host to the root, each of 1 to 63 bytes.
  let labels: [[UInt8]]

  /// Parses dotted text; `nil` for what is no name on the wire. One dot at the end is allowed.
  init?(_ text: some StringProtocol) {
    let parts = (text.hasSuffix(".") ? text.dropLast() : text[...]).split(separator: ".", omittingEmptySubsequences: false)
    let labels = parts.map { Array($0.utf8) }
    guard labels.allSatisfy({ (1...63).contains($0.count) }) else { return nil }
    self.labels = labels
    guard bytes.count <= 255 else { return nil }
  }

  /// Reads one that stands at `offset`, which is moved behind it; `nil` when it is damaged. A question's name has nothing before it that
  /// it could point to, so a pointer is damage: there are no loops to fall into.
  init?(_ bytes: [UInt8], at offset: inout Int) {
    var labels: [[UInt8]] = []
    let begin = offset
    while offset < bytes.count, offset - begin < 255 {
      let length = Int(bytes[offset])
      offset += 1
      if length == 0 {
        self.labels = labels
        return
      }
      guard length <= 63, offset + length <= bytes.count, offset + length - begin < 255 else { return nil }
      labels.append(Array(bytes[offset..<offset + length]))
      offset += length
    }
    return nil
  }

  var bytes: [UInt8] { labels.flatMap { [UInt8(truncatingIfNeeded: $0.count)] + $0 } + [0] }

  /// In small letters, without a dot at the end; `nil` for one with a byte that no host's name has.
  var text: String? {
    let isUsual = labels.allSatisfy { $0.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ".") } }
    return isUsual ? labels.map { String(decoding: $0, as: UTF8.self).lowercased() }.joined(separator: ".") : nil
  }
}

extension DNSName {
  private static let reverse = ["in-addr", "arpa"]

  /// The address whose name is asked for with it: `4.3.2.1.in-addr.arpa` is 1.2.3.4.
  var reversedAddress: IPv4Address? {
    guard let text, labels.count == 6 else { return nil }
    let parts = text.split(separator: ".").map(String.init)
    guard Array(parts.suffix(2)) == Self.reverse else { return nil }
    return IPv4Address(parts.prefix(4).reversed().joined(separator: "."))
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Identifiers of clusters, nodes, services, tasks, networks, secrets and configs.
///
/// Swarm's generator: 17 random bytes with the top bit forced on, in base 36, first character dropped, the next 25 kept.
/// The result is exactly 25 characters of `[0-9a-z]`.
package enum Identifier {
  package static let length = 25

  /// Draws one identifier from `generator`; randomness is passed in so that a simulated cluster can be replayed.
  package static func make(using generator: inout some RandomNumberGenerator) -> String {
    // Eight at a time: the system's generator is a system call for each draw.
    var bytes = (0..<3).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }.prefix(17).map { $0 }
    bytes[0] |= 0x80
    return String(base36(bytes).dropFirst().prefix(length))
  }

  /// The big-endian integer `bytes` in base 36, without leading zeros; `"0"` for zero.
  package static func base36(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    var number = Array(bytes.drop { $0 == 0 })
    while !number.isEmpty {
      var remainder = 0
      for index in number.indices {
        let value = remainder << 8 | Int(number[index])
        number[index] = UInt8(value / 36)
        remainder = value % 36
      }
      digits.append(alphabet[remainder])
      number = Array(number.drop { $0 == 0 })
    }
    return digits.isEmpty ? "0" : String(decoding: digits.reversed(), as: UTF8.self)
  }

  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Identifiers")
struct IdentifierTests {
  @Test("are 25 characters of base 36, and differ")
  func shape() {
    var generator = SystemRandomNumberGenerator()
    let ids = (0..<1_000).map { _ in Identifier.make(using: &generator) }
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { $0.count == 25 && $0.allSatisfy { "0123456789abcdefghijklmnopqrstuvwxyz".contains($0) } })
  }

  @Test("base 36 of big-endian bytes", arguments: [([0], "0"), ([35], "z"), ([36], "10"), ([1, 0], "74"), ([0, 0, 255], "73")])
  func base36(bytes: [UInt8], text: String) {
    #expect(Identifier.base36(bytes) == text)
  }
}

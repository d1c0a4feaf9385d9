// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Identity

@Suite("The sealing key")
struct SealingKeyTests {
  static let secret = Array("user and password".utf8)

  @Test("what it seals it opens, and so does a key that was read from its text")
  func opens() throws {
    let key = SealingKey.make()
    let sealed = try key.seal(Self.secret, of: "a")
    #expect(try key.open(sealed, of: "a") == Self.secret)
    #expect(try #require(SealingKey(text: key.text)).open(sealed, of: "a") == Self.secret)
    #expect(try key.open(try key.seal([], of: "a"), of: "a") == [])
  }

  @Test("no part of a secret shows")
  func hides() throws {
    let sealed = try SealingKey.make().seal(Self.secret, of: "a")
    for start in 0...Self.secret.count - 4 { #expect(!sealed.bytes.contains(Self.secret[start..<start + 4])) }
  }

  @Test("equal secrets of one owner are equal when sealed, and nothing else is")
  func repeats() throws {
    let key = SealingKey.make()
    let sealed = try key.seal(Self.secret, of: "a")
    #expect(try key.seal(Self.secret, of: "a") == sealed)
    #expect(try key.seal(Self.secret, of: "b") != sealed)
    #expect(try key.seal(Self.secret + [0], of: "a") != sealed)
    #expect(try SealingKey.make().seal(Self.secret, of: "a") != sealed)
  }

  @Test("nothing is opened for another owner, with another key, or after any change")
  func refuses() throws {
    let key = SealingKey.make()
    let sealed = try key.seal(Self.secret, of: "a")
    #expect(throws: SealingError.self) { try key.open(sealed, of: "b") }
    #expect(throws: SealingError.self) { try SealingKey.make().open(sealed, of: "a") }
    for index in sealed.bytes.indices {
      var bytes = sealed.bytes
      bytes[index] ^= 1
      #expect(throws: SealingError.self, "byte \(index)") { try key.open(Sealed(bytes: bytes), of: "a") }
      #expect(throws: SealingError.self) { try key.open(Sealed(bytes: Array(sealed.bytes[..<index])), of: "a") }
    }
  }

  @Test("a text that is no key is none", arguments: ["", "x", "AAAA", Base64.encode(Array(repeating: 1, count: 31)), "ä"])
  func damaged(text: String) { #expect(SealingKey(text: text) == nil) }
}

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import Crypto
import Foundation

/// The cluster's key for what its database must not show: ChaCha20-Poly1305 with 32 bytes.
package struct SealingKey: Sealer {
  /// Secret: belongs into a file that only root reads, and not beside a copy of the database.
  package let text: String
  private let encryption: SymmetricKey
  private let nonces: SymmetricKey

  /// The first byte of everything sealed.
  private static let format: UInt8 = 1
  private static let byteCount = 32

  package static func make() -> SealingKey {
    let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    return SealingKey(bytes: bytes)
  }

  /// Reads `text` of another. `nil` for anything else.
  package init?(text: String) {
    guard let bytes = Base64.decode(text), bytes.count == Self.byteCount else { return nil }
    self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) {
    let master = SymmetricKey(data: bytes)
    text = Base64.encode(bytes) + "\n"
    encryption = Self.derived(from: master, for: "skep encryption")
    nonces = Self.derived(from: master, for: "skep nonces")
  }

  private static func derived(from master: SymmetricKey, for purpose: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(inputKeyMaterial: master, info: Data(purpose.utf8), outputByteCount: byteCount)
  }

  package func seal(_ secret: [UInt8], of owner: String) throws -> Sealed {
    let box = try ChaChaPoly.seal(secret, using: encryption, nonce: nonce(secret, owner), authenticating: Self.context(owner))
    return Sealed(bytes: [Self.format] + box.combined)
  }

  package func open(_ sealed: Sealed, of owner: String) throws -> [UInt8] {
    guard sealed.bytes.first == Self.format else {
      throw SealingError(description: "sealed in a form that this release does not know")
    }
    do {
      let box = try ChaChaPoly.SealedBox(combined: sealed.bytes.dropFirst())
      return Array(try ChaChaPoly.open(box, using: encryption, authenticating: Self.context(owner)))
    } catch {
      throw SealingError(description: "sealed with another key, or changed since")
    }
  }

  /// From the secret itself, as in RFC 5297: a nonce comes twice only for the same secret, and then nothing changes.
  private func nonce(_ secret: [UInt8], _ owner: String) throws -> ChaChaPoly.Nonce {
    var hash = HMAC<SHA256>(key: nonces)
    hash.update(data: Self.context(owner))
    hash.update(data: secret)
    return try ChaChaPoly.Nonce(data: Array(hash.finalize()).prefix(12))
  }

  /// Ends in a byte that UTF-8 has not, so that no owner's name runs into the secret.
  private static func context(_ owner: String) -> [UInt8] { [format] + owner.utf8 + [0xFF] }
}

package struct SealingError: Error, CustomStringConvertible {
  package var description: String
}

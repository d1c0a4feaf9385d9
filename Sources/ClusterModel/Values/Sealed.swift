// SPDX-License-Identifier: Apache-2.0

/// What only the holder of the cluster's sealing key can read: the one form in which a secret is stored, is part of an object, and
/// goes with a task.
package struct Sealed: Sendable, Hashable {
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }
}

extension Sealed: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let bytes = Base64.decode(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "sealed bytes are no base64")
    }
    self.init(bytes: bytes)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Base64.encode(bytes))
  }
}

/// The cluster's sealing key, or what stands in for one that is lost.
package protocol Sealer: Sendable {
  /// `owner` says what the secret belongs to; as anything else's it cannot be opened. Equal secrets of one owner are equal when sealed.
  func seal(_ secret: [UInt8], of owner: String) throws -> Sealed

  /// Throws when it was sealed with another key or for another owner, or has been changed.
  func open(_ sealed: Sealed, of owner: String) throws -> [UInt8]
}

/// Registry credentials: the value of `X-Registry-Auth` as the client sent it.
extension Sealer {
  package func sealRegistryAuth(_ header: String, ofService id: String) throws -> Sealed {
    try seal(Array(header.utf8), of: "registry-auth/\(id)")
  }

  package func openRegistryAuth(_ sealed: Sealed, ofService id: String) throws -> String {
    String(decoding: try open(sealed, of: "registry-auth/\(id)"), as: UTF8.self)
  }
}

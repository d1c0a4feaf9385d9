// SPDX-License-Identifier: Apache-2.0

/// A version of the Engine API, such as 1.41.
package struct APIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var major: Int
  package var minor: Int

  package init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// `1.41`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2,
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.count < 6 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let major = Int(parts[0]), let minor = Int(parts[1])
    else { return nil }
    self.init(major, minor)
  }

  /// The newest version our own endpoints speak.
  package static let newest = APIVersion(1, 50)
  /// The oldest version our own endpoints speak.
  package static let oldest = APIVersion(1, 24)

  package static func < (one: APIVersion, other: APIVersion) -> Bool {
    (one.major, one.minor) < (other.major, other.minor)
  }

  package var description: String { "\(major).\(minor)" }
}

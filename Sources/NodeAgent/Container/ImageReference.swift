// SPDX-License-Identifier: Apache-2.0

/// An image as a spec names it.
package struct ImageReference: Sendable, Hashable {
  private let text: String

  package init(_ text: String) { self.text = text }

  package var hasDigest: Bool { text.contains("@") }

  private var hasTag: Bool { text.split(separator: "/").last?.contains(":") ?? false }

  /// `:latest` is appended to what has neither tag nor digest.
  package var normalized: String { hasDigest || hasTag ? text : "\(text):latest" }
}

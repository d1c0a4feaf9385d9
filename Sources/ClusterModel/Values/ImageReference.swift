// SPDX-License-Identifier: Apache-2.0

/// An image as a spec names it. https://github.com/distribution/reference/blob/main/reference.go
package struct ImageReference: Sendable, Hashable {
  private let text: String

  package init(_ text: String) { self.text = text }

  package var hasDigest: Bool { text.contains("@") }

  private var hasTag: Bool { text.split(separator: "/").last?.contains(":") ?? false }

  /// As the engine is asked for it: without the name of the standard registry, with `:latest` where there is neither tag nor digest.
  package var normalized: String { hasDigest || hasTag ? familiar : "\(familiar):latest" }

  private var familiar: String {
    guard let slash = text.firstIndex(of: "/"), ["docker.io", "index.docker.io"].contains(text[..<slash]) else {
      return Self.withoutLibrary(text[...])
    }
    return Self.withoutLibrary(text[text.index(after: slash)...])
  }

  /// `library/nginx` is `nginx`; `library/a/b` is a name of its own.
  private static func withoutLibrary(_ path: Substring) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0] == "library" ? String(parts[1]) : String(path)
  }

  /// `nginx`, `registry:5000/team/app:1.2@sha256:…`; not a bare image id.
  package static func isValid(_ text: String) -> Bool {
    guard !isIdentifier(text) else { return false }
    var rest = Substring(text)
    if let at = rest.firstIndex(of: "@") {
      guard isDigest(rest[rest.index(after: at)...]) else { return false }
      rest = rest[..<at]
    }
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
      guard isTag(rest[rest.index(after: colon)...]) else { return false }
      rest = rest[..<colon]
    }
    return isName(rest)
  }

  /// 64 hexadecimal digits name an image's content, never a repository.
  private static func isIdentifier(_ text: String) -> Bool { text.utf8.count == 64 && text.utf8.allSatisfy(isLowerHex) }

  private static func isName(_ name: Substring) -> Bool {
    guard name.utf8.count <= 255 else { return false }
    var components = name.split(separator: "/", omittingEmptySubsequences: false)
    if components.count > 1, let first = components.first, isDomainLike(first) {
      guard isDomain(first) else { return false }
      components.removeFirst()
    }
    return components.allSatisfy(isPathComponent)
  }

  private static func isDomainLike(_ text: Substring) -> Bool {
    text.contains(".") || text.contains(":") || text == "localhost" || text.lowercased() != text
  }

  private static func isDomain(_ text: Substring) -> Bool {
    var host = text
    if let colon = host.lastIndex(of: ":"), host.last != "]" {
      let port = host[host.index(after: colon)...]
      guard !port.isEmpty, port.utf8.allSatisfy(isDigit) else { return false }
      host = host[..<colon]
    }
    if host.hasPrefix("[") {
      return host.hasSuffix("]") && host.dropFirst().dropLast().utf8.allSatisfy { isHex($0) || $0 == 0x3A }
    }
    return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
      guard let first = part.utf8.first, let last = part.utf8.last else { return false }
      return isAlphanumeric(first) && isAlphanumeric(last)
        && part.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
  }

  /// Runs of lower-case letters and digits, parted by `.`, `_`, `__` or any number of `-`.
  private static func isPathComponent(_ text: Substring) -> Bool {
    var separator: [UInt8] = []
    guard let first = text.utf8.first, let last = text.utf8.last, isLowerAlphanumeric(first), isLowerAlphanumeric(last) else {
      return false
    }
    for byte in text.utf8 {
      if !isLowerAlphanumeric(byte) {
        separator.append(byte)
      } else if !separator.isEmpty {
        guard isSeparator(separator) else { return false }
        separator = []
      }
    }
    return true
  }

  private static func isSeparator(_ bytes: [UInt8]) -> Bool {
    bytes == Array(".".utf8) || bytes == Array("_".utf8) || bytes == Array("__".utf8)
      || bytes.allSatisfy { $0 == UInt8(ascii: "-") }
  }

  private static func isTag(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 128, isAlphanumeric(first) || first == UInt8(ascii: "_") else {
      return false
    }
    return text.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
  }

  private static func isDigest(_ text: Substring) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].utf8.count >= 32, parts[1].utf8.allSatisfy(isHex) else { return false }
    return parts[0].split(omittingEmptySubsequences: false) { "-_+.".contains($0) }.allSatisfy { part in
      guard let first = part.utf8.first, isAlphanumeric(first), !isDigit(first) else { return false }
      return part.utf8.allSatisfy(isAlphanumeric)
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte | 0x20) }
  private static func isLowerHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte) }
  private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}

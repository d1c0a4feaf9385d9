// SPDX-License-Identifier: Apache-2.0

/// A placement constraint such as `node.labels.zone != west`, with swarm's grammar and error texts.
package struct Constraint: Sendable, Hashable {
  package enum Operator: String, Sendable { case equal = "==", notEqual = "!=" }

  package struct SyntaxError: Error, Hashable, CustomStringConvertible {
    package var description: String
  }

  package let key: String
  package let `operator`: Operator
  package let value: String

  package init(parsing text: String) throws(SyntaxError) {
    guard let (key, op, value) = Self.split(text) else {
      throw SyntaxError(description: "constraint expected one operator from ==, !=")
    }
    guard Self.isKey(key) else { throw SyntaxError(description: "key '\(key)' is invalid") }
    guard Self.isValue(value) else { throw SyntaxError(description: "value '\(value)' is invalid") }
    self.key = key
    self.operator = op
    self.value = value
  }

  /// The constraints of a placement that has passed validation.
  package static func all(in placement: Placement?) -> [Constraint] {
    (placement?.constraints ?? []).compactMap { try? Constraint(parsing: $0) }
  }

  /// Literal, case-insensitive comparison; a missing label equals nothing, an unknown key never matches.
  package func matches(_ node: Node) -> Bool {
    switch key.lowercased() {
    case "node.id": compare(node.id)
    case "node.hostname": compare(node.description?.hostname ?? "")
    case "node.role": compare(node.isManager ? "manager" : "worker")
    case "node.platform.os": compare(node.description?.platform.os ?? "")
    case "node.platform.arch": compare(node.description?.platform.architecture ?? "")
    case "node.ip": matches(address: node.status.addr)
    default: matchesLabel(of: node)
    }
  }

  private func matchesLabel(of node: Node) -> Bool {
    if key.lowercased().hasPrefix("node.labels.") { return compare(node.spec.labels[String(key.dropFirst(12))] ?? "") }
    if key.lowercased().hasPrefix("engine.labels.") {
      return compare(node.description?.engine.labels[String(key.dropFirst(14))] ?? "")
    }
    return false
  }

  private func matches(address: String) -> Bool {
    guard let found = IPv4Address(address) else { return false }
    let isInside =
      IPv4Address(value).map { $0 == found } ?? IPv4Subnet(value).map { $0.contains(found) } ?? false
    return isInside == (`operator` == .equal)
  }

  private func compare(_ found: String) -> Bool { (found.lowercased() == value.lowercased()) == (`operator` == .equal) }
}

extension Constraint {
  private static func split(_ text: String) -> (String, Operator, String)? {
    for op in [Operator.equal, .notEqual] {
      let parts = separate(text, by: op.rawValue)
      if parts.count == 2 { return (trim(parts[0]), op, trim(parts[1])) }
    }
    return nil
  }

  private static func separate(_ text: String, by separator: String) -> [Substring] {
    var parts: [Substring] = []
    var start = text.startIndex
    var index = start
    while index < text.endIndex {
      if text[index...].hasPrefix(separator) {
        parts.append(text[start..<index])
        index = text.index(index, offsetBy: separator.count)
        start = index
      } else {
        index = text.index(after: index)
      }
    }
    return parts + [text[start...]]
  }

  private static func trim(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// `^(?i)[a-z_][a-z0-9\-_.]+$`
  private static func isKey(_ key: String) -> Bool {
    guard let first = key.first, first.isASCII, first.isLetter || first == "_", key.count > 1 else { return false }
    return key.dropFirst().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
  }

  /// `^(?i)[a-z0-9:\-_\s\.\*\(\)\?\+\[\]\\\^\$\|\/]+$`
  private static func isValue(_ value: String) -> Bool {
    !value.isEmpty
      && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0.isWhitespace || ":-_.*()?+[]\\^$|/".contains($0)) }
  }
}

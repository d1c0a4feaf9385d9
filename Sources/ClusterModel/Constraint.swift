// SPDX-License-Identifier: Apache-2.0

<<<<<<< HEAD
/// One placement constraint: `node.labels.zone == east`. Values compare literally and without regard to case.
package struct Constraint: Sendable, Hashable {
  package enum Operator: String, Sendable, CaseIterable { case equal = "==", notEqual = "!=" }

  /// A text that is no constraint, in swarm's words.
  package struct SyntaxError: Error, Hashable, CustomStringConvertible {
    package let description: String
  }

  package let key: String
  package let op: Operator
  package let value: String
  private let subject: Subject

  /// Accepts keys it does not know: they never match, with either operator.
  package init(parsing text: String) throws(SyntaxError) {
    guard let (op, key, value) = Self.split(text) else {
      let names = Operator.allCases.map(\.rawValue).joined(separator: ", ")
      throw SyntaxError(description: "constraint expected one operator from \(names)")
    }
    guard Self.isKey(key) else { throw SyntaxError(description: "key '\(key)' is invalid") }
    guard Self.isValue(value) else { throw SyntaxError(description: "value '\(value)' is invalid") }
    (self.op, self.key, self.value) = (op, key, value)
    subject = Subject(key: key)
  }

  package func matches(_ node: Node) -> Bool {
    switch subject {
    case .unknown: false
    case .address: addressMatches(node.status.addr)
    case .text(let read): (read(node).lowercased() == value.lowercased()) == (op == .equal)
    case .label(let name): ((node.spec.labels[name] ?? "").lowercased() == value.lowercased()) == (op == .equal)
    case .engineLabel(let name):
      ((node.description?.engine.labels[name] ?? "").lowercased() == value.lowercased()) == (op == .equal)
    }
  }

  /// A malformed address or network never matches.
  private func addressMatches(_ address: String) -> Bool {
    if let subnet = IPv4Subnet(value) { return (IPv4Address(address).map(subnet.contains) ?? false) == (op == .equal) }
    guard IPv4Address(value) != nil || value.contains(":") else { return false }
    return (address.lowercased() == value.lowercased()) == (op == .equal)
  }

  package static func == (left: Constraint, right: Constraint) -> Bool {
    (left.key, left.op, left.value) == (right.key, right.op, right.value)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(key)
    hasher.combine(op)
    hasher.combine(value)
  }
}

extension Constraint {
  /// What of a node is compared. Keys compare without regard to case, the label's own name with it.
  private enum Subject: Sendable {
    case text(@Sendable (Node) -> String)
    case label(String)
    case engineLabel(String)
    case address
    case unknown

    init(key: String) {
      switch key.lowercased() {
      case "node.id": self = .text { $0.id }
      case "node.hostname": self = .text { $0.description?.hostname ?? "" }
      case "node.role": self = .text { $0.isManager ? "manager" : "worker" }
      case "node.platform.os": self = .text { $0.description?.platform.os ?? "" }
      case "node.platform.arch": self = .text { $0.description?.platform.architecture ?? "" }
      case "node.ip": self = .address
      case let lowered where lowered.hasPrefix("node.labels.") && key.count > 12: self = .label(String(key.dropFirst(12)))
      case let lowered where lowered.hasPrefix("engine.labels.") && key.count > 14: self = .engineLabel(String(key.dropFirst(14)))
      default: self = .unknown
      }
    }
  }

  /// At the first `==`; without one, at the first `!=`.
  private static func split(_ text: String) -> (Operator, String, String)? {
    for op in Operator.allCases {
      let characters = Array(text), sign = Array(op.rawValue)
      guard characters.count >= 2,
        let at = characters.indices.dropLast().first(where: {
          characters[$0] == sign[0] && characters[$0 + 1] == sign[1]
        })
      else { continue }
      return (op, trimmed(characters[..<at]), trimmed(characters[(at + 2)...]))
=======
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
>>>>>>> origin/main
    }
    return nil
  }

<<<<<<< HEAD
  private static func trimmed(_ characters: ArraySlice<Character>) -> String {
    var characters = characters.drop(while: \.isWhitespace)
    while characters.last?.isWhitespace == true { characters.removeLast() }
    return String(characters)
  }

  private static func isKey(_ key: String) -> Bool {
    guard key.utf8.count > 1, let first = key.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    return key.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-_.".utf8.contains($0) }
  }

  private static func isValue(_ value: String) -> Bool {
    !value.isEmpty && value.utf8.allSatisfy { isLetter($0) || isDigit($0) || ":-_ \t\n\u{0C}\r.*()?+[]\\^$|/".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
=======
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
>>>>>>> origin/main
}

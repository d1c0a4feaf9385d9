// SPDX-License-Identifier: Apache-2.0

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

  /// The constraints of a placement that has passed validation.
  package static func all(in placement: Placement?) -> [Constraint] {
    (placement?.constraints ?? []).compactMap { try? Constraint(parsing: $0) }
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
    let own = IPAddress(address)
    if let wanted = IPAddress(value) { return (own == wanted) == (op == .equal) }
    guard let subnet = IPSubnet(value) else { return false }
    return (own.map(subnet.contains) ?? false) == (op == .equal)
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
    }
    return nil
  }

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
}

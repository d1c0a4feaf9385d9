// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// The `filters` of a list request: values under one key are alternatives, different keys must all match.
package struct Filters: Sendable, Hashable {
  private var values: [String: [String]] = [:]

  package init() {}

  /// Both forms: `{"key":["a","b"]}` and the older `{"key":{"a":true}}`. Throws for a key that is not in `allowed`.
  package init(_ text: String?, allowed: Set<String>) throws(APIError) {
    try self.init(text)
    if let key = values.keys.filter({ !allowed.contains($0) }).min() { throw .badRequest("invalid filter '\(key)'") }
  }

  /// The syntax alone.
  init(_ text: String?) throws(APIError) {
    guard let text, !text.isEmpty else { return }
    guard let json = try? JSONValue(parsing: text), let object = json.objectValue else {
      if (try? JSONValue(parsing: text))?.isNull == true { return }
      throw .badRequest("invalid filter")
    }
    for member in object.members {
      guard let values = Self.values(member.value) else { throw .badRequest("invalid filter") }
      self.values[member.key, default: []] += values
    }
  }

  private static func values(_ json: JSONValue) -> [String]? {
    switch json {
    case .array(let array):
      let strings = array.compactMap(\.stringValue)
      return strings.count == array.count ? strings : nil
    case .object(let object):
      guard object.members.allSatisfy({ $0.value.boolValue != nil }) else { return nil }
      return object.members.map(\.key)
    case .null: return []
    default: return nil
    }
  }

  package var all: [String: [String]] { values }

  package subscript(key: String) -> [String] { values[key] ?? [] }

  package func contains(_ key: String) -> Bool { !self[key].isEmpty }

  package func matchesPrefix(_ key: String, _ text: String) -> Bool {
    let wanted = self[key]
    return wanted.isEmpty || wanted.contains { text.hasPrefix($0) }
  }

  package func matchesExactly(_ key: String, _ text: String) -> Bool {
    let wanted = self[key]
    return wanted.isEmpty || wanted.contains(text)
  }

  /// All of them must match: `key` and `key=` whatever the value is, `key=value` exactly.
  package func matchesLabels(_ key: String, _ labels: @autoclosure () -> [String: String]) -> Bool {
    let wanted = self[key]
    guard !wanted.isEmpty else { return true }
    let labels = labels()
    return wanted.allSatisfy { text in
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let found = labels[String(sides.first ?? "")] else { return false }
      return sides.count < 2 || sides[1].isEmpty || found == sides[1]
    }
  }
}

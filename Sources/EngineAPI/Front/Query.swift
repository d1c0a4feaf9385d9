// SPDX-License-Identifier: Apache-2.0

/// The decoded items of a query string, in order.
package struct Query: Sendable, Hashable {
  package struct Item: Sendable, Hashable {
    package var name: String
    package var value: String
  }

  package private(set) var items: [Item] = []

  /// Go's rules: `+` is a space, an item without `=` has an empty value, items that do not decode are dropped.
  package init(_ raw: some StringProtocol = "") {
    for part in raw.split(separator: "&") where !part.contains(";") {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentCoding.decode(sides[0], plusIsSpace: true),
        let value = PercentCoding.decode(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
      else { continue }
      items.append(Item(name: name, value: value))
    }
  }

  /// The first value of `name`; names are case-sensitive.
  package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

  package func values(of name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

  /// The engine's rule for flags (`force`, `status`, `follow`): anything but empty, `0`, `no`, `false` and `none` is true.
  package func flag(_ name: String, default fallback: Bool = false) -> Bool {
    guard let value = self[name] else { return fallback }
    return !["", "0", "no", "false", "none"].contains(Self.trimmed(value).lowercased())
  }

  /// Go's `strconv.ParseBool`, which filters and a few endpoints use: nil when the text is not one of its words.
  package static func strictBool(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }

  private static func trimmed(_ text: String) -> Substring {
    var text = text[...].drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

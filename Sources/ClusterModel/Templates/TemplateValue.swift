// SPDX-License-Identifier: Apache-2.0

/// What an expression of a template can be.
indirect enum TemplateValue: Sendable, Hashable {
  case text(String)
  case integer(Int)
  case decimal(Double)
  case truth(Bool)
  case map([String: String])
  /// One of swarm's own, such as `.Service`; its fields in Go's order.
  case object([Field])
  case none

  struct Field: Sendable, Hashable {
    var name: String
    var value: TemplateValue
  }

  /// As Go prints it.
  var text: String {
    switch self {
    case .text(let text): text
    case .integer(let number): String(number)
    case .decimal(let number): number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)"
    case .truth(let value): String(value)
    case .map(let map): "map[" + map.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ") + "]"
    case .object(let fields): "{" + fields.map(\.value.text).joined(separator: " ") + "}"
    case .none: "<no value>"
    }
  }

  /// As `if` takes it: what is zero or empty is false.
  var isTrue: Bool {
    switch self {
    case .text(let text): !text.isEmpty
    case .integer(let number): number != 0
    case .decimal(let number): number != 0
    case .truth(let value): value
    case .map(let map): !map.isEmpty
    case .object: true
    case .none: false
    }
  }

  var typeName: String {
    switch self {
    case .text: "string"
    case .integer: "int"
    case .decimal: "float64"
    case .truth: "bool"
    case .map: "map[string]string"
    case .object: "struct"
    case .none: "<nil>"
    }
  }

  func field(_ name: String) throws(TemplateError) -> TemplateValue {
    switch self {
    case .map(let map):
      guard let value = map[name] else { throw .executing("<.\(name)>: map has no entry for key \"\(name)\"") }
      return .text(value)
    case .object(let fields):
      if let field = fields.first(where: { $0.name == name }) { return field.value }
    default: break
    }
    throw .executing("<.\(name)>: can't evaluate field \(name) in type \(typeName)")
  }
}

// SPDX-License-Identifier: Apache-2.0

/// `eq`, `ne`, `lt`, `le`, `gt`, `ge`.
enum TemplateComparison {
  static func compare(_ name: String, _ arguments: [TemplateValue]) throws(TemplateError) -> Bool {
    guard arguments.count == 2 || name == "eq" && arguments.count > 2 else {
      throw TemplateFunctions.wrongNumber(name, arguments)
    }
    switch name {
    case "eq":
      for other in arguments.dropFirst() where try areEqual(arguments[0], other, name) { return true }
      return false
    case "ne": return !(try areEqual(arguments[0], arguments[1], name))
    case "lt": return try isLess(arguments[0], arguments[1], name)
    case "ge": return !(try isLess(arguments[0], arguments[1], name))
    case "gt": return try isLess(arguments[1], arguments[0], name)
    default: return !(try isLess(arguments[1], arguments[0], name))
    }
  }

  private static func areEqual(
    _ left: TemplateValue, _ right: TemplateValue, _ name: String
  ) throws(TemplateError) -> Bool {
    switch (left, right) {
    case (.text, .text), (.integer, .integer), (.decimal, .decimal), (.truth, .truth): return left == right
    default: throw incomparable(name)
    }
  }

  private static func isLess(_ left: TemplateValue, _ right: TemplateValue, _ name: String) throws(TemplateError) -> Bool {
    switch (left, right) {
    case (.text(let left), .text(let right)): return left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.integer(let left), .integer(let right)): return left < right
    case (.decimal(let left), .decimal(let right)): return left < right
    default: throw incomparable(name)
    }
  }

  private static func incomparable(_ name: String) -> TemplateError {
    .executing("<\(name)>: error calling \(name): incompatible types for comparison")
  }
}

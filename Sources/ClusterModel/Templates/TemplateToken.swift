// SPDX-License-Identifier: Apache-2.0

/// A word of an action.
struct TemplateToken: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// `.`, or `.A.B` with its names.
    case field([String])
    /// `$` or `$name`, without its fields.
    case variable(String)
    case literal(TemplateValue)
    case name(String)
    case pipe, open, close, declare, assign, comma

    /// How it is written, where that is always the same.
    var sign: String? {
      switch self {
      case .pipe: "|"
      case .open: "("
      case .close: ")"
      case .declare: ":="
      case .assign: "="
      case .comma: ","
      case .field, .variable, .literal, .name: nil
      }
    }
  }

  var kind: Kind
  /// White space comes before it: `(x).Y` is a field of `x`, `(x) .Y` are two values.
  var isApart: Bool
}

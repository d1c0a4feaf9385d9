// SPDX-License-Identifier: Apache-2.0

/// Go's `printf`, as far as values of templates have a use for it.
enum TemplateFormat {
  private struct Verb {
    var letter: Character = "v"
    var flags: Set<Character> = []
    var width = 0
    var precision: Int?
  }

  /// Wider than anything of use: the text may be anybody's.
  private static let widest = 10_000

  static func format(_ format: String, _ arguments: ArraySlice<TemplateValue>) -> String {
    var result = ""
    var rest = format[...]
    var arguments = arguments
    while let next = rest.popFirst() {
      guard next == "%" else {
        result.append(next)
        continue
      }
      guard let verb = take(&rest) else { return result + "%!(NOVERB)" }
      if verb.letter == "%" {
        result.append("%")
      } else if let value = arguments.popFirst() {
        result += padded(verb, value)
      } else {
        result += "%!\(verb.letter)(MISSING)"
      }
    }
    if !arguments.isEmpty {
      result += "%!(EXTRA " + arguments.map { "\($0.typeName)=\($0.text)" }.joined(separator: ", ") + ")"
    }
    return result
  }

  private static func take(_ rest: inout Substring) -> Verb? {
    var verb = Verb()
    while let flag = rest.first, "+-# 0".contains(flag) {
      verb.flags.insert(flag)
      rest.removeFirst()
    }
    verb.width = min(number(&rest) ?? 0, widest)
    if rest.first == "." {
      rest.removeFirst()
      verb.precision = min(number(&rest) ?? 0, widest)
    }
    guard let letter = rest.popFirst() else { return nil }
    verb.letter = letter
    return verb
  }

  private static func number(_ rest: inout Substring) -> Int? {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(digits.count)
    return digits.isEmpty ? nil : Int(digits) ?? widest
  }

  private static func padded(_ verb: Verb, _ value: TemplateValue) -> String {
    let text = text(verb, value)
    let missing = verb.width - text.count
    guard missing > 0 else { return text }
    if verb.flags.contains("-") { return text + String(repeating: " ", count: missing) }
    guard verb.flags.contains("0") else { return String(repeating: " ", count: missing) + text }
    let sign = text.prefix { "+-".contains($0) && value.typeName != "string" }
    return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
  }

  private static func text(_ verb: Verb, _ value: TemplateValue) -> String {
    switch (verb.letter, value) {
    case ("v", _): return signed(verb, value, value.text)
    case ("s", .text(let text)): return verb.precision.map { String(text.prefix($0)) } ?? text
    case ("s", .map), ("s", .object): return value.text
    case ("q", .text(let text)): return text.goQuoted
    case ("d", .integer), ("t", .truth): return signed(verb, value, value.text)
    case ("x", .integer(let number)): return String(number, radix: 16)
    case ("X", .integer(let number)): return String(number, radix: 16, uppercase: true)
    case ("o", .integer(let number)): return String(number, radix: 8)
    case ("b", .integer(let number)): return String(number, radix: 2)
    case ("c", .integer(let number)): return UnicodeScalar(UInt32(clamping: number)).map { String($0) } ?? "\u{FFFD}"
    case ("x", .text(let text)): return text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    case ("f", .decimal(let number)): return signed(verb, value, fixed(number, verb.precision ?? 6))
    default: return "%!\(verb.letter)(\(value.typeName)=\(value.text))"
    }
  }

  private static func signed(_ verb: Verb, _ value: TemplateValue, _ text: String) -> String {
    let isNumber = value.typeName == "int" || value.typeName == "float64"
    return isNumber && verb.flags.contains("+") && !text.hasPrefix("-") ? "+" + text : text
  }

  /// So many digits after the point.
  private static func fixed(_ number: Double, _ digits: Int) -> String {
    let digits = min(digits, 15)
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    guard let scaled = Int(exactly: (abs(number) * scale).rounded()) else { return "\(number)" }
    let text = String(scaled)
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    let sign = number < 0 ? "-" : ""
    return digits == 0 ? sign + padded : "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
  }
}

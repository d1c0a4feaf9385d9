// SPDX-License-Identifier: Apache-2.0

/// Go's functions of templates, and swarm's `join`.
enum TemplateFunctions {
  static let names: Set<String> = [
    "and", "eq", "ge", "gt", "html", "index", "join", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println",
    "slice", "urlquery",
  ]

  static func call(_ name: String, _ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    switch name {
    case "and": return try chosen(arguments, name) { !$0.isTrue }
    case "or": return try chosen(arguments, name) { $0.isTrue }
    case "not": return .truth(!(try only(arguments, name).isTrue))
    case "len": return .integer(try length(try only(arguments, name)))
    case "index": return try index(arguments)
    case "slice": return try slice(arguments)
    case "join": return .text(arguments.dropFirst().map(\.text).joined(separator: try first(arguments, name).text))
    case "print": return .text(print(arguments))
    case "println": return .text(arguments.map(\.text).joined(separator: " ") + "\n")
    case "printf": return .text(TemplateFormat.format(try first(arguments, name).text, arguments.dropFirst()))
    case "html": return .text(TemplateEscapes.html(print(arguments)))
    case "js": return .text(TemplateEscapes.js(print(arguments)))
    case "urlquery": return .text(TemplateEscapes.query(print(arguments)))
    default: return .truth(try TemplateComparison.compare(name, arguments))
    }
  }

  static func wrongNumber(_ name: String, _ arguments: [TemplateValue]) -> TemplateError {
    .executing("<\(name)>: wrong number of args for \(name): got \(arguments.count)")
  }

  private static func first(_ arguments: [TemplateValue], _ name: String) throws(TemplateError) -> TemplateValue {
    guard let first = arguments.first else { throw wrongNumber(name, arguments) }
    return first
  }

  /// The first that is so, else the last.
  private static func chosen(
    _ arguments: [TemplateValue], _ name: String, _ isSo: (TemplateValue) -> Bool
  ) throws(TemplateError) -> TemplateValue {
    guard let chosen = arguments.first(where: isSo) ?? arguments.last else { throw wrongNumber(name, arguments) }
    return chosen
  }

  private static func only(_ arguments: [TemplateValue], _ name: String) throws(TemplateError) -> TemplateValue {
    guard arguments.count == 1 else { throw wrongNumber(name, arguments) }
    return arguments[0]
  }

  /// With a space between two values of which neither is a text.
  private static func print(_ arguments: [TemplateValue]) -> String {
    var result = ""
    var afterText = true
    for value in arguments {
      let isText = value.typeName == "string"
      if !afterText, !isText { result += " " }
      result += value.text
      afterText = isText
    }
    return result
  }

  private static func length(_ value: TemplateValue) throws(TemplateError) -> Int {
    switch value {
    case .text(let text): return text.utf8.count
    case .map(let map): return map.count
    default: throw .executing("<len>: error calling len: len of type \(value.typeName)")
    }
  }

  /// An absent key gives the empty string, even with `missingkey=error`.
  private static func index(_ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    var value = try first(arguments, "index")
    for key in arguments.dropFirst() {
      switch (value, key) {
      case (.map(let map), .text(let key)): value = .text(map[key] ?? "")
      case (.text(let text), .integer(let position)):
        let bytes = Array(text.utf8)
        guard bytes.indices.contains(position) else {
          throw .executing("<index>: error calling index: index out of range: \(position)")
        }
        value = .integer(Int(bytes[position]))
      default: throw .executing("<index>: error calling index: can't index item of type \(value.typeName)")
      }
    }
    return value
  }

  private static func slice(_ arguments: [TemplateValue]) throws(TemplateError) -> TemplateValue {
    guard case .text(let text)? = arguments.first, arguments.count <= 3 else {
      throw .executing("<slice>: error calling slice: can't slice item")
    }
    var bounds = [0, text.utf8.count]
    for (place, argument) in arguments.dropFirst().enumerated() {
      guard case .integer(let position) = argument, (0...text.utf8.count).contains(position) else {
        throw .executing("<slice>: error calling slice: index out of range: \(argument.text)")
      }
      bounds[place] = position
    }
    guard bounds[0] <= bounds[1] else {
      throw .executing("<slice>: error calling slice: invalid slice index: \(bounds[0]) > \(bounds[1])")
    }
    return .text(String(decoding: Array(text.utf8)[bounds[0]..<bounds[1]], as: UTF8.self))
  }
}

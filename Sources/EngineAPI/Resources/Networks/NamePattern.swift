// SPDX-License-Identifier: Apache-2.0

/// A regular expression of a filter, such as `^ingress$`. Works on sets of positions, so that no pattern of a client takes more than a
/// moment; counted repetition is not in it.
struct NamePattern {
  private indirect enum Node {
    case character(@Sendable (Character) -> Bool)
    case sequence([Node])
    case either([Node])
    case star(Node)
    case start
    case end
  }

  /// The longest pattern looked at, and the deepest groups in one: a repetition within a repetition multiplies the work.
  private static let limits = (length: 256, depth: 4)
  private let root: Node

  /// `nil` when it is no pattern, which then matches nothing.
  init?(_ text: String) {
    guard text.count <= Self.limits.length else { return nil }
    var rest = text[...]
    guard let root = Self.either(&rest, depth: 0), rest.isEmpty else { return nil }
    self.root = root
  }

  /// Anywhere in `text`.
  func matches(_ text: String) -> Bool {
    let characters = Array(text)
    return !Self.ends(root, Set(0...characters.count), characters).isEmpty
  }

  /// Where a match that begins at one of `starts` may end.
  private static func ends(_ node: Node, _ starts: Set<Int>, _ text: [Character]) -> Set<Int> {
    switch node {
    case .character(let fits): return Set(starts.filter { $0 < text.count && fits(text[$0]) }.map { $0 + 1 })
    case .sequence(let nodes): return nodes.reduce(starts) { ends($1, $0, text) }
    case .either(let nodes): return nodes.reduce(into: []) { $0.formUnion(ends($1, starts, text)) }
    case .start: return starts.intersection([0])
    case .end: return starts.intersection([text.count])
    case .star(let inner):
      var (all, new) = (starts, starts)
      while !new.isEmpty {
        new = ends(inner, new, text).subtracting(all)
        all.formUnion(new)
      }
      return all
    }
  }
}

extension NamePattern {
  private static func either(_ rest: inout Substring, depth: Int) -> Node? {
    var branches: [Node] = []
    repeat {
      guard let branch = sequence(&rest, depth) else { return nil }
      branches.append(branch)
    } while take("|", &rest)
    return .either(branches)
  }

  private static func sequence(_ rest: inout Substring, _ depth: Int) -> Node? {
    var nodes: [Node] = []
    while let next = rest.first, next != "|", next != ")" {
      guard let node = atom(&rest, depth) else { return nil }
      nodes.append(repeated(node, &rest))
    }
    return .sequence(nodes)
  }

  private static func repeated(_ node: Node, _ rest: inout Substring) -> Node {
    guard let sign = rest.first, "*+?".contains(sign) else { return node }
    rest.removeFirst()
    // How much is taken first makes no difference to whether there is a match.
    _ = take("?", &rest)
    return sign == "?" ? .either([node, .sequence([])]) : sign == "*" ? .star(node) : .sequence([node, .star(node)])
  }

  private static func atom(_ rest: inout Substring, _ depth: Int) -> Node? {
    switch rest.removeFirst() {
    case "^": return .start
    case "$": return .end
    case ".": return .character { _ in true }
    case "*", "+", "?", "{": return nil
    case "(":
      guard depth < limits.depth, let inner = either(&rest, depth: depth + 1), take(")", &rest) else { return nil }
      return inner
    case "[": return set(&rest)
    case "\\": return rest.popFirst().map(escaped)
    case let plain: return .character { $0 == plain }
    }
  }

  private static func escaped(_ letter: Character) -> Node {
    switch letter {
    case "d": .character(\.isNumber)
    case "w": .character { $0.isLetter || $0.isNumber || $0 == "_" }
    default: .character { $0 == letter }
    }
  }

  /// `[a-z_]`, `[^0-9]`
  private static func set(_ rest: inout Substring) -> Node? {
    let isNegated = take("^", &rest)
    var ranges: [ClosedRange<Character>] = []
    while let first = rest.popFirst() {
      if first == "]", !ranges.isEmpty {
        return .character { [ranges] character in ranges.contains { $0.contains(character) } != isNegated }
      }
      guard rest.first == "-", let last = rest.dropFirst().first, last != "]" else {
        ranges.append(first...first)
        continue
      }
      guard first <= last else { return nil }
      ranges.append(first...last)
      rest.removeFirst(2)
    }
    return nil
  }

  private static func take(_ sign: Character, _ rest: inout Substring) -> Bool {
    guard rest.first == sign else { return false }
    rest.removeFirst()
    return true
  }
}

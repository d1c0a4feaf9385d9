// SPDX-License-Identifier: Apache-2.0

/// A line that is not of the format.
package struct TextFormatError: Error, Hashable, Sendable, CustomStringConvertible {
  package let line: Int
  package var description: String { "line \(line) is no metric" }
}

extension TextFormat {
  package struct Sample: Hashable, Sendable {
    package var name: String
    package var labels: [String: String]
    package var value: Double

    package init(name: String, labels: [String: String] = [:], value: Double) {
      self.name = name
      self.labels = labels
      self.value = value
    }
  }

  /// Every sample, in order. Comments and times are passed over.
  package static func samples(in bytes: [UInt8]) throws(TextFormatError) -> [Sample] {
    var samples: [Sample] = []
    for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }), first != UInt8(ascii: "#") else { continue }
      var reader = LineReader(rest: line)
      guard let sample = reader.sample() else { throw TextFormatError(line: index + 1) }
      samples.append(sample)
    }
    return samples
  }

  private struct LineReader {
    var rest: ArraySlice<UInt8>

    mutating func sample() -> Sample? {
      skipSpace()
      guard let name = name(), let labels = labels() else { return nil }
      skipSpace()
      let word = rest.prefix { $0 != 0x20 && $0 != 0x09 }
      rest = rest.dropFirst(word.count)
      guard let value = TextFormat.value(String(decoding: word, as: UTF8.self)), isTimeOrNothing() else { return nil }
      return Sample(name: name, labels: labels, value: value)
    }

    private mutating func name() -> String? {
      let name = rest.prefix { TextFormat.isOfName($0) }
      rest = rest.dropFirst(name.count)
      return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    /// None if there is no brace; `nil` if what is within is no list of labels.
    private mutating func labels() -> [String: String]? {
      skipSpace()
      var labels: [String: String] = [:]
      guard take("{") else { return labels }
      while true {
        skipSpace()
        if take("}") { return labels }
        guard let name = name(), equals(), let value = quoted(), labels.updateValue(value, forKey: name) == nil else {
          return nil
        }
        skipSpace()
        guard take(",") || rest.first == UInt8(ascii: "}") else { return nil }
      }
    }

    private mutating func equals() -> Bool {
      skipSpace()
      guard take("=") else { return false }
      skipSpace()
      return take("\"")
    }

    private mutating func quoted() -> String? {
      var text: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
        guard byte == UInt8(ascii: "\\") else {
          text.append(byte)
          continue
        }
        guard let escaped = rest.popFirst() else { return nil }
        text.append(escaped == UInt8(ascii: "n") ? 0x0a : escaped)
      }
      return nil
    }

    private mutating func isTimeOrNothing() -> Bool {
      skipSpace()
      return rest.isEmpty || Int64(String(decoding: rest, as: UTF8.self).filter { $0 != " " }) != nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest.removeFirst()
      return true
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3a, 0x41...0x5a, 0x5f, 0x61...0x7a: true
    default: false
    }
  }

  private static func value(_ word: String) -> Double? {
    switch word {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: Double(word)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Values of a query as Go's `strconv` reads them, with its words for what is none.
package enum GoParse {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    init(_ function: String, _ text: String, isTooLarge: Bool = false) {
      description = "strconv.\(function): parsing \(text.goQuoted): \(isTooLarge ? "value out of range" : "invalid syntax")"
    }
  }

  /// Digits only, without a sign.
  package static func uint64(_ text: String) throws(Failure) -> UInt64 {
    guard isDigits(text[...]) else { throw Failure("ParseUint", text) }
    guard let value = UInt64(text) else { throw Failure("ParseUint", text, isTooLarge: true) }
    return value
  }

  package static func int64(_ text: String) throws(Failure) -> Int64 {
    let unsigned = text.first.map { "+-".contains($0) } == true ? text.dropFirst() : text[...]
    guard isDigits(unsigned) else { throw Failure("ParseInt", text) }
    guard let value = Int64(text) else { throw Failure("ParseInt", text, isTooLarge: true) }
    return value
  }

  package static func bool(_ text: String) throws(Failure) -> Bool {
    guard let value = Query.strictBool(text) else { throw Failure("ParseBool", text) }
    return value
  }

  private static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}

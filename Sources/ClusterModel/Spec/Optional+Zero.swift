// SPDX-License-Identifier: Apache-2.0

// What is zero in Go is the same as absent in most fields of a spec.

extension String? {
  func or(_ standard: String) -> String { flatMap { $0.isEmpty ? nil : $0 } ?? standard }
}

extension Bool? {
  var ifTrue: Bool? { self == true ? true : nil }
}

extension Optional where Wrapped: BinaryInteger {
  var unlessZero: Wrapped? { self == 0 ? nil : self }
}

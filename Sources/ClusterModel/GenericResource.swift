// SPDX-License-Identifier: Apache-2.0

/// What a node has beside CPUs and memory, as the API writes it: so many of a kind, or one of a kind with a name of its own.
package struct GenericResource: Codable, Sendable, Hashable {
  package struct Named: Codable, Sendable, Hashable {
    package var kind: String?
    package var value: String?
  }
  package struct Discrete: Codable, Sendable, Hashable {
    package var kind: String?
    package var value: Int64?
  }

  package var namedResourceSpec: Named?
  package var discreteResourceSpec: Discrete?

  /// Neither is nothing at all, which an API client may send.
  package init(namedResourceSpec: Named? = nil, discreteResourceSpec: Discrete? = nil) {
    self.namedResourceSpec = namedResourceSpec
    self.discreteResourceSpec = discreteResourceSpec
  }

  package static func named(_ kind: String, _ value: String) -> GenericResource {
    GenericResource(namedResourceSpec: Named(kind: kind, value: value))
  }

  package static func discrete(_ kind: String, _ value: Int64) -> GenericResource {
    GenericResource(discreteResourceSpec: Discrete(kind: kind, value: value))
  }

  package var kind: String { namedResourceSpec?.kind ?? discreteResourceSpec?.kind ?? "" }

  /// `nil` for a named one.
  package var count: Int64? { namedResourceSpec == nil ? discreteResourceSpec.map { $0.value ?? 0 } : nil }

  /// A name, or a count in digits.
  package var text: String { namedResourceSpec?.value ?? String(count ?? 0) }
}

// SPDX-License-Identifier: Apache-2.0

/// The two kinds of bytes that a user gives into the cluster's keeping for tasks: they differ in little more than their names.
package enum PayloadKind: String, Codable, Sendable, Hashable, CaseIterable {
  case secret, config

  /// Data must be smaller than this, in bytes.
  package var byteLimit: Int { self == .secret ? 500 << 10 : 1_000 << 10 }

  /// Throws in swarm's words.
  package func check(byteCount: Int) throws(SpecError) {
    guard byteCount > 0, byteCount < byteLimit else {
      throw .invalidArgument("\(rawValue) data must be larger than 0 and less than \(byteLimit) bytes")
    }
  }
}

/// What a user says of a secret or a config beside its data.
package struct PayloadSpec: Codable, Sendable, Hashable {
  package struct Driver: Codable, Sendable, Hashable {
    package var name: String?
    package var options: [String: String]?

    package init(name: String?) { self.name = name }
  }

  package var name: String
  package var labels: [String: String]
  /// How the data becomes a task's own; absent when every task has it as it is.
  package var templating: Driver?

  package init(name: String, labels: [String: String] = [:], templating: Driver? = nil) {
    self.name = name
    self.labels = labels
    self.templating = templating
  }
}

/// A secret or a config. Its data never changes.
package struct Payload: Sendable, Hashable {
  package let kind: PayloadKind
  package let id: String
  package var spec: PayloadSpec
  /// Opened where a task's files are made, and for whoever may see a config; nowhere else.
  package let data: Sealed
  package let createdAt: Timestamp
  package var updatedAt: Timestamp
  /// `Version.Index`: the store version of the last write; 0 before the first.
  package var version: UInt64 = 0

  package init(_ kind: PayloadKind, id: String, spec: PayloadSpec, data: Sealed, createdAt: Timestamp) {
    self.kind = kind
    self.id = id
    self.spec = spec
    self.data = data
    self.createdAt = createdAt
    self.updatedAt = createdAt
  }

  package var name: String { spec.name }
}

extension Sealer {
  package func sealPayload(_ data: [UInt8], _ kind: PayloadKind, id: String) throws -> Sealed {
    try seal(data, of: "\(kind.rawValue)/\(id)")
  }

  package func openPayload(_ data: Sealed, _ kind: PayloadKind, id: String) throws -> [UInt8] {
    try open(data, of: "\(kind.rawValue)/\(id)")
  }
}

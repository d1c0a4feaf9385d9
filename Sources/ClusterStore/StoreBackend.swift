// SPDX-License-Identifier: Apache-2.0

/// One record of the durable store as it was last written.
package struct StoredRecord: Sendable, Hashable {
  package var key: String
  package var value: [UInt8]
  /// The revision that wrote it.
  package var revision: UInt64

  package init(key: String, value: [UInt8], revision: UInt64) {
    self.key = key
    self.value = value
    self.revision = revision
  }
}

/// One write of a transaction; a `nil` value deletes.
package struct RecordWrite: Sendable, Hashable {
  package var key: String
  package var value: [UInt8]?

  package init(key: String, value: [UInt8]?) {
    self.key = key
    self.value = value
  }
}

/// Everything a backend holds.
package struct StoreSnapshot: Sendable {
  /// Added to revisions to make version numbers; above every number an earlier store of this cluster gave out.
  package var epochBase: UInt64
  package var revision: UInt64
  package var records: [StoredRecord]

  package init(epochBase: UInt64, revision: UInt64, records: [StoredRecord]) {
    self.epochBase = epochBase
    self.revision = revision
    self.records = records
  }
}

/// Where the cluster's state is durable. SQLite on a single manager; a simulated cluster needs none.
package protocol StoreBackend: Sendable {
  func load() async throws -> StoreSnapshot

  /// How many transactions `commit` takes at once: more than one where they cost little more together.
  var groupLimit: Int { get }

  /// Writes all transactions of the group or nothing, and returns only when they would survive power loss. They get revisions from
  /// `revision` on, which must be the next one: a backend that holds another latest revision than `revision - 1` refuses, because
  /// somebody else has written.
  func commit(_ group: [[RecordWrite]], at revision: UInt64) async throws
}

extension StoreBackend {
  package var groupLimit: Int { 1 }

  package func commit(_ writes: [RecordWrite], at revision: UInt64) async throws { try await commit([writes], at: revision) }
}

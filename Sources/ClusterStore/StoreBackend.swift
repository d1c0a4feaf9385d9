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

  /// Writes all or nothing, and returns only when the writes would survive power loss. `revision` must be the next one: a backend
  /// that holds another latest revision than `revision - 1` refuses, because somebody else has written.
  func commit(_ writes: [RecordWrite], at revision: UInt64) async throws
}

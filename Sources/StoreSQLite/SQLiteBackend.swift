// SPDX-License-Identifier: Apache-2.0

package import ClusterStore
import Foundation
import GRDB

/// A single manager's durable store: one SQLite file with a write-ahead log, every commit synced before it is acknowledged.
package final class SQLiteBackend: StoreBackend {
  package static let fileName = "cluster.db"

  private let queue: DatabaseQueue

  /// Opens the cluster's database in `directory`; it must exist. Checks the whole file's integrity.
  package static func open(directory: String) async throws -> SQLiteBackend {
    let path = directory + "/" + fileName
    guard FileManager.default.fileExists(atPath: path) else {
      throw SQLiteStoreError(
        code: .missing,
        message: """
          there is no cluster database at \(path). Either stop skepd and put a backup there, or give the swarm up with \
          "docker swarm leave --force", which removes its containers
          """)
    }
    return try await SQLiteBackend(path: path, isNew: false)
  }

  /// Makes the database of a new cluster in `directory`. `epochBase` is the number that versions start above.
  package static func create(directory: String, epochBase: UInt64) async throws -> SQLiteBackend {
    let path = directory + "/" + fileName
    guard !FileManager.default.fileExists(atPath: path) else {
      throw SQLiteStoreError(code: .exists, message: "\(path) already holds a cluster")
    }
    let backend = try await SQLiteBackend(path: path, isNew: true)
    try await backend.setEpochBase(epochBase)
    return backend
  }

  /// Deletes the cluster's database: `docker swarm leave`.
  package static func delete(directory: String) throws {
    for suffix in ["", "-wal", "-shm"] {
      let path = directory + "/" + fileName + suffix
      if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
  }

  package static func exists(directory: String) -> Bool {
    FileManager.default.fileExists(atPath: directory + "/" + fileName)
  }

  /// Merges the write-ahead log into the file and lets go of it. Nothing may follow.
  package func close() throws { try queue.close() }

  private init(path: String, isNew: Bool) async throws {
    do {
      if !isNew { try await Self.checkIntegrity(path) }
      queue = try DatabaseQueue(path: path)
      try await queue.writeWithoutTransaction { database in
        // By hand, as GRDB's own WAL mode lowers synchronous to NORMAL: with WAL only FULL syncs the log at every commit, which is what
        // an acknowledged write promises.
        try database.execute(sql: "PRAGMA journal_mode = WAL")
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // KiB, the most: a group's pages are written once, when it ends.
        try database.execute(sql: "PRAGMA cache_size = -65536")
      }
      guard try await !queue.read(Self.migrator.hasBeenSuperseded) else {
        throw SQLiteStoreError(code: .unreadable, message: "\(path) was written by a newer release of Skep: use that release")
      }
      try Self.migrator.migrate(queue)
      // It holds join tokens and the environments of services.
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    } catch let error as SQLiteStoreError {
      throw error
    } catch {
      throw SQLiteStoreError.unreadable(path: path, cause: error)
    }
  }

  /// Read-only, so that a damaged file stays as it is for whoever tries to save what is in it.
  private static func checkIntegrity(_ path: String) async throws {
    var configuration = Configuration()
    configuration.readonly = true
    let reader = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? reader.close() }
    let findings = try await reader.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(10)") }
    guard findings == ["ok"] else { throw IntegrityFindings(findings: findings) }
  }

  /// The modes that durability depends on: `wal` and 2, which is FULL.
  func durability() async throws -> (journal: String?, synchronous: Int?) {
    try await queue.read { database in
      (try String.fetchOne(database, sql: "PRAGMA journal_mode"), try Int.fetchOne(database, sql: "PRAGMA synchronous"))
    }
  }

  private static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: records and revision") { database in
      try database.execute(
        sql: """
          CREATE TABLE record (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), epochBase INTEGER NOT NULL, revision INTEGER NOT NULL);
          INSERT INTO store (id, epochBase, revision) VALUES (1, 0, 0);
          """)
    }
    return migrator
  }()

  private func setEpochBase(_ base: UInt64) async throws {
    try await queue.write { try $0.execute(sql: "UPDATE store SET epochBase = ?", arguments: [Int64(clamping: base)]) }
  }
}

extension SQLiteBackend {
  package func load() async throws -> StoreSnapshot {
    try await queue.read { database in
      let row = try Row.fetchOne(database, sql: "SELECT epochBase, revision FROM store")
      let records = try Row.fetchAll(database, sql: "SELECT key, value, revision FROM record").map { row in
        StoredRecord(key: row["key"], value: Array(row["value"] as Data), revision: UInt64(row["revision"] as Int64))
      }
      return StoreSnapshot(
        epochBase: UInt64(row?["epochBase"] as Int64? ?? 0), revision: UInt64(row?["revision"] as Int64? ?? 0), records: records)
    }
  }

  /// One sync of the log, and one writing of each page, for 32,768 objects at most.
  package var groupLimit: Int { 512 }

  package func commit(_ group: [[RecordWrite]], at revision: UInt64) async throws {
    do {
      try await queue.write { database in
        try Self.write(group, at: Int64(clamping: revision), in: database)
      }
    } catch let error as SQLiteStoreError {
      throw error
    } catch {
      throw SQLiteStoreError.writeFailed(path: queue.path, cause: error)
    }
  }

  private static func write(_ group: [[RecordWrite]], at revision: Int64, in database: Database) throws {
    let next = try database.cachedStatement(sql: "UPDATE store SET revision = ? WHERE revision = ?")
    try next.execute(arguments: [revision + Int64(group.count) - 1, revision - 1])
    guard database.changesCount == 1 else {
      throw SQLiteStoreError(
        code: .conflict, message: "the cluster database was written by somebody else: is another skepd using it?")
    }
    let put = try database.cachedStatement(sql: "INSERT OR REPLACE INTO record (key, value, revision) VALUES (?, ?, ?)")
    let delete = try database.cachedStatement(sql: "DELETE FROM record WHERE key = ?")
    for (write, number) in inOrderOfKeys(group) {
      if let value = write.value {
        try put.execute(arguments: [write.key, Data(value), revision + Int64(number)])
      } else {
        try delete.execute(arguments: [write.key])
      }
    }
  }
}

extension SQLiteBackend {
  /// The writes with their transaction's number in the group. Many are sorted, so that each page of the table is found and filled once;
  /// those of one key stay in their order.
  private static func inOrderOfKeys(_ group: [[RecordWrite]]) -> [(write: RecordWrite, transaction: Int)] {
    let all = group.enumerated().flatMap { number, writes in writes.map { (write: $0, transaction: number) } }
    return group.count == 1 ? all : all.sorted { ($0.write.key, $0.transaction) < ($1.write.key, $1.transaction) }
  }
}

private struct IntegrityFindings: Error, CustomStringConvertible {
  var findings: [String]
  var description: String { findings.joined(separator: "; ") }
}

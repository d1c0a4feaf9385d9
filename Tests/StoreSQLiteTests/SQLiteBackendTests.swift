// SPDX-License-Identifier: Apache-2.0

import ClusterStore
import Foundation
import Testing

@testable import StoreSQLite

@Suite("The SQLite store")
struct SQLiteBackendTests {
  private static func withDirectory(_ body: (String) async throws -> Void) async throws {
    let path = NSTemporaryDirectory() + "skep-store-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  @Test("what was committed is loaded again with the revision that wrote it")
  func reload() async throws {
    try await Self.withDirectory { directory in
      let backend = try await SQLiteBackend.create(directory: directory, epochBase: 77)
      try await backend.commit([.init(key: "a", value: [1, 2]), .init(key: "b", value: [])], at: 1)
      try await backend.commit([.init(key: "a", value: [3]), .init(key: "b", value: nil)], at: 2)
      let snapshot = try await SQLiteBackend.open(directory: directory).load()
      #expect(snapshot.epochBase == 77)
      #expect(snapshot.revision == 2)
      #expect(snapshot.records == [StoredRecord(key: "a", value: [3], revision: 2)])
    }
  }

  @Test("transactions committed together keep their order and their revisions")
  func group() async throws {
    try await Self.withDirectory { directory in
      let backend = try await SQLiteBackend.create(directory: directory, epochBase: 0)
      try await backend.commit([[.init(key: "z", value: [1])]], at: 1)
      let group: [[RecordWrite]] = [
        [.init(key: "z", value: nil), .init(key: "b", value: [1])], [.init(key: "z", value: [2]), .init(key: "a", value: [1])],
        [.init(key: "b", value: [2])],
      ]
      try await backend.commit(group, at: 2)
      await #expect(throws: SQLiteStoreError.self) { try await backend.commit([[.init(key: "c", value: [1])]], at: 4) }
      let snapshot = try await SQLiteBackend.open(directory: directory).load()
      #expect(snapshot.revision == 4)
      #expect(
        snapshot.records == [
          StoredRecord(key: "a", value: [1], revision: 3), StoredRecord(key: "b", value: [2], revision: 4),
          StoredRecord(key: "z", value: [2], revision: 3),
        ])
    }
  }

  @Test("every commit is synced, in a new store and in one opened again")
  func durability() async throws {
    try await Self.withDirectory { directory in
      let created = try await SQLiteBackend.create(directory: directory, epochBase: 0)
      #expect(try await created.durability() == ("wal", 2))
      try created.close()
      #expect(try await SQLiteBackend.open(directory: directory).durability() == ("wal", 2))
    }
  }

  @Test("a revision that is not the next one is refused, and nothing of it is written", arguments: [1, 3, 9] as [UInt64])
  func conflict(revision: UInt64) async throws {
    try await Self.withDirectory { directory in
      let backend = try await SQLiteBackend.create(directory: directory, epochBase: 0)
      try await backend.commit([.init(key: "a", value: [1])], at: 1)
      await #expect(throws: SQLiteStoreError.self) { try await backend.commit([.init(key: "b", value: [1])], at: revision) }
      #expect(try await backend.load().records.map(\.key) == ["a"])
    }
  }

  @Test("a damaged file is reported with the way out and left as it is", arguments: [0, 5_000])
  func damage(offset: Int) async throws {
    try await Self.withDirectory { directory in
      let path = directory + "/" + SQLiteBackend.fileName
      let backend = try await SQLiteBackend.create(directory: directory, epochBase: 0)
      for number in 1...40 {
        try await backend.commit([.init(key: "key\(number)", value: Array(repeating: 7, count: 1_000))], at: UInt64(number))
      }
      try backend.close()
      let handle = try #require(FileHandle(forUpdatingAtPath: path))
      try handle.seek(toOffset: UInt64(offset))
      try handle.write(contentsOf: Data(repeating: 0xAB, count: 20_000))
      try handle.close()
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      do {
        _ = try await SQLiteBackend.open(directory: directory)
        Issue.record("opened a damaged database")
      } catch let error as SQLiteStoreError {
        #expect(error.code == .unreadable)
        #expect(error.message.contains(path) && error.message.contains("Nothing was changed"))
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
  }

  @Test("a database that is missing is an error, one that exists is not overwritten")
  func presence() async throws {
    try await Self.withDirectory { directory in
      await #expect(throws: SQLiteStoreError.self) { _ = try await SQLiteBackend.open(directory: directory) }
      _ = try await SQLiteBackend.create(directory: directory, epochBase: 0)
      await #expect(throws: SQLiteStoreError.self) { _ = try await SQLiteBackend.create(directory: directory, epochBase: 0) }
      try SQLiteBackend.delete(directory: directory)
      #expect(!SQLiteBackend.exists(directory: directory))
    }
  }
}

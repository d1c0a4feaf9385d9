// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Synchronization
import Testing

@testable import Manager

/// A backend in memory that can be told to fail, and to hold a write up.
final class MemoryBackend: StoreBackend {
  private let state = Mutex((revision: UInt64(0), records: [String: StoredRecord](), failing: false))

  var failing: Bool {
    get { state.withLock { $0.failing } }
    set { state.withLock { $0.failing = newValue } }
  }

  func load() async throws -> StoreSnapshot {
    state.withLock { StoreSnapshot(epochBase: 10, revision: $0.revision, records: Array($0.records.values)) }
  }

  struct Failure: Error {}

  func commit(_ group: [[RecordWrite]], at revision: UInt64) async throws {
    // Gives others a chance to come between, as a disk does.
    await Task.yield()
    try state.withLock { state in
      guard !state.failing, revision == state.revision + 1 else { throw Failure() }
      for writes in group {
        state.revision += 1
        for write in writes {
          state.records[write.key] = write.value.map { StoredRecord(key: write.key, value: $0, revision: state.revision) }
        }
      }
    }
  }
}

@Suite("The store's writer")
struct StoreTests {
  static func service(_ name: String) -> Service {
    Service(id: "id-\(name)", spec: ServiceSpec(name: name), createdAt: Timestamp(nanoseconds: 1))
  }

  @Test("a write that is not durable is neither visible nor acknowledged")
  func failedWrite() async throws {
    let backend = MemoryBackend()
    let store = try await Store(backend: backend)
    try await store.transaction { $0.put(Self.service("a")) }
    backend.failing = true
    await #expect(throws: MemoryBackend.Failure.self) { try await store.transaction { $0.put(Self.service("b")) } }
    #expect(await store.read { $0.services.keys.sorted() } == ["id-a"])
    backend.failing = false
    try await store.transaction { $0.put(Self.service("c")) }
    #expect(await store.read { $0.services.keys.sorted() } == ["id-a", "id-c"])
  }

  @Test("concurrent transactions come one after the other: none is lost")
  func concurrency() async throws {
    let store = try await Store(backend: MemoryBackend())
    try await store.transaction { $0.put(Self.service("counter")) }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          try? await store.transaction { transaction in
            guard var service = transaction.service("id-counter") else { return }
            service.spec.taskTemplate.forceUpdate += 1
            transaction.put(service)
          }
        }
      }
    }
    #expect(await store.read { $0.services["id-counter"]?.spec.taskTemplate.forceUpdate } == 100)
  }

  @Test("a watcher hears of every change, coalesced, and of nothing after it stopped")
  func watch() async throws {
    let store = try await Store(backend: MemoryBackend())
    let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let watcher = await store.watch(signal)
    try await store.transaction { $0.put(Self.service("a")) }
    try await store.transaction { $0.put(Self.service("b")) }
    var iterator = signals.makeAsyncIterator()
    #expect(await iterator.next() != nil)
    #expect(await store.takeDirty(watcher).serviceIDs == ["id-a", "id-b"])
    #expect(await store.takeDirty(watcher).isEmpty)
    await store.stopWatching(watcher)
    try await store.transaction { $0.put(Self.service("c")) }
    #expect(await store.takeDirty(watcher).isEmpty)
  }

  @Test("an observer is given every transaction by itself, with the state before it")
  func observe() async throws {
    let store = try await Store(backend: MemoryBackend())
    let seen = Mutex<[String]>([])
    await store.observe { changes, before in
      seen.withLock { $0.append("\(changes.count) over \(before.services.count)") }
    }
    try await store.transaction { $0.put(Self.service("a")) }
    try await store.transaction { transaction in
      transaction.put(Self.service("b"))
      transaction.put(Self.service("c"))
    }
    try await store.transaction { $0.removeService("id-a") }
    try await store.transaction { $0.removeService("id-a") }
    #expect(seen.withLock { $0 } == ["1 over 0", "2 over 1", "1 over 3"])
  }
}

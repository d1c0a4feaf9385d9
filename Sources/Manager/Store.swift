// SPDX-License-Identifier: Apache-2.0

package import ClusterStore

/// The shell around `ClusterStore`: the one writer. A change is applied, and so visible, only once its backend holds it durably.
package actor Store {
  private var state: ClusterStore
  private var epochBase: UInt64
  private var revision: UInt64
  private let backend: any StoreBackend
  private var isWriting = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var watchers: [Int: Watcher] = [:]
  private var nextWatcher = 0
  private var observers: [Observer] = []

  /// Is given each transaction as it is applied, with the state before it.
  package typealias Observer = @Sendable (_ changes: [Change], _ before: ClusterStore) -> Void

  private struct Watcher {
    var dirty = DirtySet()
    var signal: AsyncStream<Void>.Continuation
  }

  /// Writers that may wait for their turn; more are refused with `StoreError.overloaded`.
  static let maximumWaiting = 4_096

  /// Loads everything from the backend.
  package init(backend: any StoreBackend) async throws {
    let snapshot = try await backend.load()
    self.backend = backend
    state = try ClusterStore(loading: snapshot)
    epochBase = snapshot.epochBase
    revision = snapshot.revision
  }

  /// Reads one consistent state. Keep `body` short: it holds up the writer.
  package func read<T: Sendable>(_ body: @Sendable (ClusterStore) throws -> T) rethrows -> T { try body(state) }

  /// One atomic transaction of at most 64 objects and 1 MiB. Whatever `body` throws undoes all of it.
  package func transaction<T: Sendable>(_ body: @Sendable (inout Transaction) throws -> T) async throws -> T {
    try await exclusively {
      let (result, proposals) = try propose(body) { try [$0.atomicProposal()] }
      try await commit(proposals)
      return result
    }
  }

  /// Independent writes of any number, committed in transactions of at most 64 objects, for the control loops. When one fails, those
  /// before it stand.
  package func batch<T: Sendable>(_ body: @Sendable (inout Transaction) throws -> T) async throws -> T {
    try await exclusively {
      let (result, proposals) = try propose(body) { try $0.batchedProposals() }
      try await commit(proposals)
      return result
    }
  }
}

extension Store {
  /// Yields to `signal` after each change; then `takeDirty(_:)` with the returned id says what changed, until `stopWatching(_:)`.
  package func watch(_ signal: AsyncStream<Void>.Continuation) -> Int {
    defer { nextWatcher += 1 }
    watchers[nextWatcher] = Watcher(signal: signal)
    return nextWatcher
  }

  package func stopWatching(_ id: Int) { watchers[id] = nil }

  package func takeDirty(_ id: Int) -> DirtySet {
    defer { watchers[id]?.dirty = DirtySet() }
    return watchers[id]?.dirty ?? DirtySet()
  }

  /// What changed since the watcher last looked, and the state that has exactly these changes.
  package func read<T: Sendable>(changesOf id: Int, _ body: @Sendable (DirtySet, ClusterStore) throws -> T) rethrows -> T {
    try body(takeDirty(id), state)
  }
}

extension Store {
  /// For those who must not miss that something came and went: a watcher sees only what is left. `observer` holds up the writer.
  package func observe(_ observer: @escaping Observer) { observers.append(observer) }
}

extension Store {
  /// A function of its own, so that the transaction's reference to the state is gone before the state is changed in place.
  private func propose<T>(
    _ body: (inout Transaction) throws -> T, _ finish: (consuming Transaction) throws -> [Proposal]
  ) throws -> (T, [Proposal]) {
    var transaction = Transaction(over: state)
    let result = try body(&transaction)
    return (result, try finish(transaction))
  }

  private func commit(_ proposals: [Proposal]) async throws {
    var rest = proposals.filter { !$0.isEmpty }[...]
    while !rest.isEmpty {
      let group = rest.prefix(backend.groupLimit)
      try await backend.commit(group.map(\.writes), at: revision + 1)
      for proposal in group {
        revision += 1
        apply(proposal)
      }
      rest = rest.dropFirst(group.count)
    }
  }

  private func apply(_ proposal: Proposal) {
    for id in watchers.keys {
      watchers[id]?.dirty.insert(proposal.changes, before: state)
      watchers[id]?.signal.yield()
    }
    for observer in observers { observer(proposal.changes, state) }
    state.apply(proposal, version: epochBase + revision)
  }

  /// First come, first served; a write once begun is finished even if its task is cancelled.
  private func exclusively<T>(_ body: () async throws -> T) async throws -> T {
    if isWriting {
      guard waiting.count < Self.maximumWaiting else { throw StoreError.overloaded }
      await withCheckedContinuation { waiting.append($0) }
    }
    isWriting = true
    defer {
      if waiting.isEmpty { isWriting = false } else { waiting.removeFirst().resume() }
    }
    return try await body()
  }
}

package enum StoreError: Error, CustomStringConvertible {
  case overloaded

  package var description: String { "too many writes are waiting for the store; try again" }
}

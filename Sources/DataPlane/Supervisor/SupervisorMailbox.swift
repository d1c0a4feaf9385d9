// SPDX-License-Identifier: Apache-2.0

import Balancing
import CLinux
import Glibc
import Synchronization

enum SupervisorRequest: Sendable {
  case program(EndpointTable)
  case sources(SourcePolicy)
  case counts([String])
  case counters
  case shutdown
}

enum SupervisorReply: Sendable {
  case programmed(ProgramResult)
  case counts([String: Int])
  case counters(RelayReport?)
  case done
}

/// Between the callers, who are async, and the supervisor's thread, which is woken by a descriptor.
final class SupervisorMailbox: Sendable {
  /// Questions that wait for an answer; one more is refused as `busy`.
  static let limit = 1024

  private struct State {
    var phase = Phase.new
    var nextTicket: UInt64 = 1
    var requests: [(ticket: UInt64, request: SupervisorRequest)] = []
    var waiting: [UInt64: CheckedContinuation<SupervisorReply, any Error>] = [:]
    var subscribers: [UInt64: AsyncStream<[String: Int]>.Continuation] = [:]
    var failures: [ProgramResult.Failure] = []
  }

  private enum Phase {
    case new, running, stopping, ended
  }

  let wakeDescriptor: Int32
  private let state = Mutex(State())

  init() throws(DataPlaneError) {
    wakeDescriptor = cl_eventfd()
    guard wakeDescriptor >= 0 else { throw .system("eventfd", wakeDescriptor) }
  }

  deinit { close(wakeDescriptor) }

  func begin() throws {
    try state.withLock { state in
      guard state.phase == .new else { throw DataPlaneError(.stopped, "a supervisor runs once") }
      state.phase = .running
    }
  }

  func stop() {
    state.withLock { if $0.phase == .running { $0.phase = .stopping } }
    wake()
  }

  /// Fails whoever still waits.
  func end() {
    let (waiting, subscribers) = state.withLock { state in
      defer { (state.phase, state.waiting, state.requests, state.subscribers) = (.ended, [:], [], [:]) }
      return (state.waiting.values, state.subscribers.values)
    }
    for waiter in waiting { waiter.resume(throwing: Self.stopped) }
    for subscriber in subscribers { subscriber.finish() }
  }

  func ask(_ request: SupervisorRequest) async throws -> SupervisorReply {
    let ticket = state.withLock { state in
      defer { state.nextTicket += 1 }
      return state.nextTicket
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { enter(ticket, request, $0) }
    } onCancel: {
      resolve(ticket, .failure(CancellationError()))
    }
  }

  private func enter(
    _ ticket: UInt64, _ request: SupervisorRequest, _ waiter: CheckedContinuation<SupervisorReply, any Error>
  ) {
    let refusal: (any Error)? = state.withLock { state in
      // Cancelled before it got here: the handler ran when there was nobody to resume.
      if Task.isCancelled { return CancellationError() }
      if state.phase == .ended || state.phase == .stopping { return Self.stopped }
      if state.waiting.count >= Self.limit { return DataPlaneError(.busy, "\(Self.limit) questions wait for the relay") }
      state.waiting[ticket] = waiter
      state.requests.append((ticket, request))
      return nil
    }
    if let refusal { waiter.resume(throwing: refusal) } else { wake() }
  }

  func resolve(_ ticket: UInt64, _ result: Result<SupervisorReply, any Error>) {
    let waiter = state.withLock { state in
      state.requests.removeAll { $0.ticket == ticket }
      return state.waiting.removeValue(forKey: ticket)
    }
    waiter?.resume(with: result)
  }

  /// What was asked since the last time, or `nil` when it is time to stop.
  func takeRequests() -> [(ticket: UInt64, request: SupervisorRequest)]? {
    var value: UInt64 = 0
    _ = read(wakeDescriptor, &value, 8)
    return state.withLock { state in
      guard state.phase == .running else { return nil }
      defer { state.requests = [] }
      return state.requests
    }
  }

  func subscribe() -> AsyncStream<[String: Int]> {
    let (stream, continuation) = AsyncStream.makeStream(of: [String: Int].self, bufferingPolicy: .bufferingNewest(1))
    let id: UInt64? = state.withLock { state in
      guard state.phase != .ended else { return nil }
      defer { state.nextTicket += 1 }
      state.subscribers[state.nextTicket] = continuation
      return state.nextTicket
    }
    guard let id else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.subscribers.removeValue(forKey: id) } }
    return stream
  }

  /// Of the table in force.
  var failures: [ProgramResult.Failure] {
    get { state.withLock { $0.failures } }
    set { state.withLock { $0.failures = newValue } }
  }

  /// False once it was answered, or its caller has given up.
  func isAwaited(_ ticket: UInt64) -> Bool { state.withLock { $0.waiting[ticket] != nil } }

  func publish(_ counts: [String: Int]) {
    let subscribers = state.withLock { Array($0.subscribers.values) }
    for subscriber in subscribers { subscriber.yield(counts) }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = write(wakeDescriptor, &one, 8)
  }

  private static let stopped = DataPlaneError(.stopped, "the relay's supervisor stopped")
}

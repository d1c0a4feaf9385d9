// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Synchronization

/// Runs tasks, and the actors that they call, on one thread with a network of its own, so that this machine's is not touched.
package final class NetworkExecutor: TaskExecutor {
  /// `nil` ends the thread.
  private let jobs = Mutex<[UnownedJob?]>([])
  private let waiting = DispatchSemaphore(value: 0)

  package static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let executor = NetworkExecutor()
    try await executor.start()
    defer { executor.add(nil) }
    return try await withTaskExecutorPreference(executor, operation: body)
  }

  package func enqueue(_ job: consuming ExecutorJob) { add(UnownedJob(job)) }

  private func add(_ job: UnownedJob?) {
    jobs.withLock { $0.append(job) }
    waiting.signal()
  }

  private func start() async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread {
        let left = Result { try leaveNetwork() }
        continuation.resume(with: left)
        if case .success = left { self.work() }
      }
    }
  }

  private func work() {
    while true {
      waiting.wait()
      guard let job = jobs.withLock({ $0.removeFirst() }) else { return }
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}

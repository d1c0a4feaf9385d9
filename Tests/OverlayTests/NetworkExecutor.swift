// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch
import Foundation
import Logging
import Netlink
import Synchronization

/// Runs tasks, and the actors that they call, on one thread with a network of its own, so that this machine's is not touched.
final class NetworkExecutor: TaskExecutor {
  /// `nil` ends the thread.
  private let jobs = Mutex<[UnownedJob?]>([])
  private let waiting = DispatchSemaphore(value: 0)

  static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let executor = NetworkExecutor()
    try await executor.start()
    defer { executor.add(nil) }
    return try await withTaskExecutorPreference(executor, operation: body)
  }

  func enqueue(_ job: consuming ExecutorJob) { add(UnownedJob(job)) }

  private func add(_ job: UnownedJob?) {
    jobs.withLock { $0.append(job) }
    waiting.signal()
  }

  private func start() async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread {
        let result = cl_unshare_network()
        guard result == 0 else { return continuation.resume(throwing: NetlinkError(-result, "unshare")) }
        continuation.resume()
        self.work()
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

/// Keeps what is logged, as level and message.
struct LogLines: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  let lines: AsyncStream<String>
  private let line: AsyncStream<String>.Continuation

  init() { (lines, line) = AsyncStream.makeStream() }

  var logger: Logger { Logger(label: "test") { _ in self } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { line.yield("\(event.level): \(event.message)") }

  /// Nothing more comes.
  func end() { line.finish() }
}

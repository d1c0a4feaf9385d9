// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Identity
import NIOCore
import NIOPosix
import Synchronization

/// A node's heartbeats, on a thread and a connection of their own: however busy the agent is, its node is heard.
struct Pulse: Sendable {
  private let threads: MultiThreadedEventLoopGroup
  private let executor: PulseExecutor
  private let channel: ManagerChannel

  init(to address: String, as introduction: NodeIntroduction, now: @escaping @Sendable () -> Timestamp) throws {
    threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    executor = PulseExecutor(threads.any())
    channel = try ManagerChannel(to: address, as: introduction, now: now, on: threads)
  }

  /// Keeps the connection until cancelled. Once.
  func run() async { await withTaskExecutorPreference(executor) { try? await channel.run(on: executor) } }

  /// Ends the thread. Only when `run` and every `beat` have returned: they are run by it.
  func close() async { try? await threads.shutdownGracefully() }

  /// Beats until cancelled, or until the manager does not want to hear any more: throws why. `heard` is called at each answer.
  func beat(as node: SessionName, every period: Duration, heard: @escaping @Sendable (NodeMessage.Beat) -> Void) async throws {
    let period = Mutex(period)
    let loop = threads.any()
    try await withTaskExecutorPreference(executor) {
      try await channel.heartbeats(as: node) {
        try Task.checkCancellation()
        let pause = period.withLock { $0 }
        // The loop's own timer: sleeping tasks are woken by threads that may be busy.
        try await loop.scheduleTask(in: .nanoseconds(pause.nanoseconds)) {}.futureResult.get()
      } hear: { beat in
        period.withLock { $0 = .nanoseconds(max(beat.heartbeatPeriod, 1_000_000)) }
        heard(beat)
      }
    }
  }
}

/// Runs tasks on one thread.
private final class PulseExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

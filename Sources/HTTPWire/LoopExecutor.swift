// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Runs tasks on an event loop's own thread: a task that reads and writes a connection of that loop then does so without waking
/// another thread at each step. What it calls must not block, as anywhere.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

// SPDX-License-Identifier: Apache-2.0

// The open connections of what drains, again and again until the drains are over.
extension TrafficProgrammer {
  /// Between two counts that nothing else asks for, when a node's whole work or a part of it drains: a count takes the kernel about a
  /// millisecond for each task.
  static func countInterval(tasks: Int) -> Duration { .milliseconds(max(100, 10 * tasks)) }

  func countWhileDraining(_ locate: @escaping SocketCounter.Locate) async {
    await withDiscardingTaskGroup { group in
      for await _ in countWakes {
        guard let pause = await recount(locate), !isCountDue else { continue }
        isCountDue = true
        group.addTask { await self.countAgain(after: pause) }
      }
      group.cancelAll()
    }
  }

  /// Returns when to count again; `nil` when nothing drains.
  private func recount(_ locate: @escaping SocketCounter.Locate) async -> Duration? {
    let tasks = state.drainingPorts
    guard !tasks.isEmpty else {
      // Lets go of the last namespaces.
      _ = await sockets.count([:], locate)
      return nil
    }
    let count = state.beginCount()
    do {
      state.counted(try await openConnections(tasks, locate), in: count)
    } catch {
      logger.debug("open connections could not be counted", metadata: ["error": "\(error)"])
    }
    await sendReport()
    return Self.countInterval(tasks: tasks.count)
  }

  private func countAgain(after pause: Duration) async {
    try? await clock.sleep(pause)
    isCountDue = false
    countWake.yield()
  }
}

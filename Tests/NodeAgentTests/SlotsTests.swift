// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import NodeAgent

@Suite("Small parts")
struct SlotsTests {
  actor Counts {
    var (now, most, done) = (0, 0, 0)
    func enter() { (now, most) = (now + 1, max(most, now + 1)) }
    func leave() { (now, done) = (now - 1, done + 1) }
  }

  @Test("slots are never over-used and all are given back")
  func slots() async throws {
    let slots = Slots(3)
    let counts = Counts()
    try await withThrowingDiscardingTaskGroup { group in
      for _ in 0..<50 {
        group.addTask {
          try await slots.withSlot {
            await counts.enter()
            await Task.yield()
            await counts.leave()
          }
        }
      }
    }
    #expect(await counts.most <= 3)
    #expect(await counts.done == 50)
  }

  @Test("who is cancelled while waiting for a slot does not get one")
  func cancelled() async throws {
    let slots = Slots(1)
    let outcome = try await slots.withSlot {
      await withTaskGroup(of: Bool.self) { group in
        group.addTask {
          do {
            try await slots.withSlot {}
            return true
          } catch { return false }
        }
        group.cancelAll()
        return await group.next()
      }
    }
    #expect(outcome == false)
    try await slots.withSlot {}
  }

  @Test("the outbox keeps the latest status of each task and never goes back")
  func outbox() {
    func status(_ state: TaskState) -> TaskStatus { TaskStatus(state: state, timestamp: .zero, message: "") }
    var outbox = StatusOutbox()
    outbox.add(status(.preparing), of: "a")
    outbox.add(status(.running), of: "a")
    outbox.add(status(.starting), of: "a")
    let batch = outbox.take()
    #expect(batch == ["a": status(.running)])
    outbox.add(status(.failed), of: "a")
    outbox.putBack(batch)
    #expect(outbox.take() == ["a": status(.failed)])
    #expect(outbox.isEmpty)
  }
}

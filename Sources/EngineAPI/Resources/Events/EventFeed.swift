// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import EngineClient

/// One client's events: the engine's, as it sends them, and ours among them.
struct EventFeed: Sendable {
  /// The engine's answer to the client's own query.
  let stream: EngineEventLines
  /// Asks the engine for the past alone; `nil` when `stream` has nothing else, or nothing of it.
  let askPast: (@Sendable () async throws -> EngineEventLines)?
  let isOver: Bool
  let ours: (past: [ClusterEvent], live: AsyncStream<ClusterEvent>)

  /// The engine keeps 256 events; with labels one may have some kilobytes.
  static let pastLimit = 16 * 1_024 * 1_024

  func run(into queue: BoundedQueue<[UInt8]>) async {
    do {
      var replay = EventReplay()
      for line in replay.merge(engine: try await past(), ours: ours.past) {
        guard await queue.send(line + [0x0A]) else { return }
      }
      if !isOver { try await follow(replay, into: queue) }
      queue.finish()
    } catch {
      // Ends the client's connection in the middle of the answer, as the engine's own end does.
      queue.finish(throwing: error)
    }
  }

  /// Until the engine ends its stream, which it does at `until`, or the client leaves.
  private func follow(_ replay: EventReplay, into queue: BoundedQueue<[UInt8]>) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var replay = replay
        for try await line in stream.lines where !replay.isRepeated(line) {
          guard await queue.send(line + [0x0A]) else { return }
        }
      }
      group.addTask {
        for await event in ours.live {
          guard await queue.send(event.json.bytes + [0x0A]) else { return }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// The engine's.
  private func past() async throws -> [[UInt8]] {
    var (lines, size) = ([[UInt8]](), 0)
    guard let past = isOver ? stream : try await askPast?() else { return [] }
    for try await line in past.lines {
      size += line.count
      guard size <= Self.pastLimit else { throw EngineError(.tooLarge, "the engine's past events are too large") }
      lines.append(line)
    }
    return lines
  }
}

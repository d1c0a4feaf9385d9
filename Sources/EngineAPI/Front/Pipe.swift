// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import NIOCore

/// Two connections glued together, bytes as bytes. What is in flight each way is one read's worth: the next is asked for when the
/// other socket has taken it.
struct Pipe {
  let client: ByteChannel
  let engine: ByteChannel
  /// How long the engine may take to accept what a client that is gone had sent.
  var patience = Duration.seconds(5)

  /// `first` is what was already read from the client. Both sides are closed at the end.
  func run(first: ByteBuffer) async {
    await withTaskGroup(of: PipeState.Event.self) { group in
      group.addTask { await copyRequest(first) }
      group.addTask { await copyResponse() }
      group.addTask {
        await engine.closed()
        return .engineClosed
      }
      group.addTask {
        await client.closed()
        return .clientClosed
      }
      await finish(&group)
    }
    engine.close()
    await client.lingeringClose()
  }

  private func finish(_ group: inout TaskGroup<PipeState.Event>) async {
    var state = PipeState()
    while let event = await group.next() {
      if state.handle(event) { break }
      guard event == .clientClosed else { continue }
      group.addTask {
        try? await Task.sleep(for: patience)
        return .clientFailed
      }
    }
    group.cancelAll()
  }

  private func copyRequest(_ first: ByteBuffer) async -> PipeState.Event {
    do {
      try await engine.write(first)
      while let bytes = try await client.read() { try await engine.write(bytes) }
      await engine.finish()
    } catch {
      // The engine may have answered and closed without wanting the rest (an error in the middle of an upload).
    }
    return .requestEnded
  }

  private func copyResponse() async -> PipeState.Event {
    do {
      while let bytes = try await engine.read() { try await client.write(bytes) }
      await client.finish()
      return .responseEnded
    } catch {
      return .clientFailed
    }
  }
}

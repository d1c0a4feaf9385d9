// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import NIOPosix
import Synchronization

/// One connected stream socket, read by pulling and written by waiting, so that back-pressure is exact: at most one read and one
/// write are under way. Half-closes are kept apart from closes.
package final class ByteChannel: Sendable {
  private enum Closing {
    case open
    case awaited([Int: CheckedContinuation<Void, Never>])
    case closed
  }

  private struct CloseState {
    var closing = Closing.open
    var lastID = 0
  }

  private let channel: any Channel
  private let handler: NIOLoopBound<ByteChannelHandler>
  private let closeState = Mutex(CloseState())

  /// For tasks that mostly read and write this channel.
  package let executor: any TaskExecutor

  /// Sets up `channel`, on its event loop, with the options of `configure` already in place.
  package init(wrappingOnEventLoop channel: any Channel) throws {
    let handler = ByteChannelHandler()
    try channel.pipeline.syncOperations.addHandler(handler)
    self.channel = channel
    executor = LoopExecutor(channel.eventLoop)
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    channel.closeFuture.whenComplete { [weak self] _ in self?.didClose() }
  }

  /// Whoever drops the last reference gives the connection up.
  deinit { channel.close(promise: nil) }

  /// The next bytes, at most 64 KiB while the connection lasts; nil when the peer ended its direction, closed or reset. A cancelled
  /// read loses no bytes.
  package func read() async throws -> ByteBuffer? {
    let id = newID()
    let buffer = try await withTaskCancellationHandler { [channel, handler] in
      try await channel.eventLoop.flatSubmit { handler.value.read(id, from: channel) }.get()
    } onCancel: { [channel, handler] in
      channel.eventLoop.execute { handler.value.abandon(id) }
    }
    if buffer == nil { try Task.checkCancellation() }
    return buffer
  }

  /// Returns when the kernel has taken every byte. A cancelled write closes the connection: nobody knows how much was sent.
  package func write(_ buffer: ByteBuffer) async throws {
    try await withTaskCancellationHandler { [channel] in
      try await channel.writeAndFlush(buffer).get()
    } onCancel: { [channel] in
      channel.close(promise: nil)
    }
  }

  package func write(_ bytes: [UInt8]) async throws {
    try await write(ByteBuffer(bytes: bytes))
  }

  /// Ends our direction only. Nothing to do when the connection is over already.
  package func finish() async {
    try? await channel.close(mode: .output).get()
  }

  /// Closes both directions at once. Bytes not taken by the kernel are dropped.
  package func close() {
    channel.close(promise: nil)
  }

  /// Ends our direction, then takes what the peer still sends for up to `patience`. A plain close with unread bytes resets the
  /// connection, and a client busy uploading would never see the answer that told it to stop.
  package func lingeringClose(patience: TimeAmount = .seconds(1)) async {
    await finish()
    let timer = channel.eventLoop.scheduleTask(in: patience) { [channel] in channel.close(promise: nil) }
    while let bytes = try? await read(), bytes.readableBytes > 0 {}
    timer.cancel()
    close()
  }

  /// Closes the connection when `limit` is over, unless the returned timer is cancelled first.
  package func closeAfter(_ limit: TimeAmount, _ note: @escaping @Sendable () -> Void = {}) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: limit) { [channel] in
      note()
      channel.close(promise: nil)
    }
  }

  /// Returns when both directions are closed, or when the task is cancelled.
  package func closed() async {
    let id = newID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { wait(id, $0) }
    } onCancel: {
      stopWaiting(id)
    }
  }

  private func newID() -> Int {
    closeState.withLock { state in
      state.lastID += 1
      return state.lastID
    }
  }

  private func wait(_ id: Int, _ continuation: CheckedContinuation<Void, Never>) {
    let over = closeState.withLock { state in
      // A cancellation that came first found nothing to resume.
      if Task.isCancelled { return true }
      switch state.closing {
      case .closed: return true
      case .open: state.closing = .awaited([id: continuation])
      case .awaited(var waiters):
        waiters[id] = continuation
        state.closing = .awaited(waiters)
      }
      return false
    }
    if over { continuation.resume() }
  }

  private func stopWaiting(_ id: Int) {
    let continuation = closeState.withLock { state -> CheckedContinuation<Void, Never>? in
      guard case .awaited(var waiters) = state.closing else { return nil }
      defer { state.closing = .awaited(waiters) }
      return waiters.removeValue(forKey: id)
    }
    continuation?.resume()
  }

  private func didClose() {
    let waiters = closeState.withLock { state in
      defer { state.closing = .closed }
      guard case .awaited(let waiters) = state.closing else { return [CheckedContinuation<Void, Never>]() }
      return Array(waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }
}

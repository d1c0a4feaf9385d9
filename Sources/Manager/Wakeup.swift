// SPDX-License-Identifier: Apache-2.0

/// A flag that a loop waits for: any number of signals before it looks make one round.
struct Wakeup: Sendable {
  private let stream: AsyncStream<Void>
  let signal: AsyncStream<Void>.Continuation

  init() { (stream, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

  /// Returns after a signal, at `deadline`, or when the task is cancelled. `deadline` and `uptime` are of one monotonic clock.
  func wait(until deadline: Duration?, uptime: Duration) async {
    let timer = signal
    // Cancelled when the scope ends.
    async let _: Void = {
      guard let deadline else { return }
      // A cancelled sleep must not wake the next round.
      if (try? await Task.sleep(for: max(deadline - uptime, .zero))) != nil { timer.yield() }
    }()
    var iterator = stream.makeAsyncIterator()
    _ = await iterator.next()
  }
}

// SPDX-License-Identifier: Apache-2.0

/// A flag that a loop waits for: any number of signals before it looks make one round.
struct Wakeup: Sendable {
  private let stream: AsyncStream<Void>
  let signal: AsyncStream<Void>.Continuation

  init() { (stream, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

  /// How far apart rounds begin, at least. The first of a burst of writes is acted on at once; the rest of it makes few rounds, which
  /// would otherwise cost as much as the writes themselves.
  static let pace = Duration.milliseconds(5)

  /// Returns when the next round may begin after one that began at `start`.
  func pace(since start: Duration, uptime: Duration, _ pace: Duration = Wakeup.pace) async {
    let rest = start + pace - uptime
    if rest > .zero { try? await Task.sleep(for: rest) }
  }

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

// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import ClusterRPC
package import Identity
import Synchronization

/// A node's present credentials, which are renewed while they are in use.
package final class CurrentCredentials: Sendable {
  private let value: Mutex<NodeCredentials>

  package init(_ credentials: NodeCredentials) { value = Mutex(credentials) }

  package var current: NodeCredentials { value.withLock { $0 } }
  func replace(_ credentials: NodeCredentials) { value.withLock { $0 = credentials } }
}

/// Asks for a node's next certificate long before the present one ends, and at once when the managers want that.
package struct CertificateRenewal: Sendable {
  package struct Steps: Sendable {
    package var ask: @Sendable (_ signingRequest: String) async throws -> NodeMessage.CertificateReply
    /// Durably, before they are used.
    package var keep: @Sendable (NodeCredentials) throws -> Void
    /// The new ones are the current ones.
    package var show: @Sendable (NodeCredentials) -> Void
    package var failed: @Sendable (any Error) -> Void

    package init(
      ask: @escaping @Sendable (_ signingRequest: String) async throws -> NodeMessage.CertificateReply,
      keep: @escaping @Sendable (NodeCredentials) throws -> Void, show: @escaping @Sendable (NodeCredentials) -> Void,
      failed: @escaping @Sendable (any Error) -> Void
    ) {
      self.ask = ask
      self.keep = keep
      self.show = show
      self.failed = failed
    }
  }

  /// Looked at every hour at least: the wall clock may be set.
  private static let longestSleep = Duration.seconds(3_600)
  private static let retry = Duration.seconds(60)
  /// All nodes are asked together, and the managers sign one after the other.
  private static let spread = 0.0...1.0

  private let credentials: CurrentCredentials
  private let now: @Sendable () -> Timestamp
  private let sleep: @Sendable (Duration) async throws -> Void
  private let steps: Steps
  private let wishes: Wishes

  /// What the managers want a node to ask for; the newest counts.
  package struct Wishes: Sendable {
    fileprivate let wakes: AsyncStream<String?>
    fileprivate let wake: AsyncStream<String?>.Continuation

    package init() { (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// A certificate with which the node has this `mark`.
    package func ask(for mark: String) { wake.yield(mark) }
  }

  package init(
    of credentials: CurrentCredentials, by wishes: Wishes, now: @escaping @Sendable () -> Timestamp,
    sleep: @escaping @Sendable (Duration) async throws -> Void, steps: Steps
  ) {
    self.credentials = credentials
    self.now = now
    self.sleep = sleep
    self.steps = steps
    self.wishes = wishes
  }

  /// Until cancelled. Once.
  package func run() async {
    var generator = SystemRandomNumberGenerator()
    var iterator = wishes.wakes.makeAsyncIterator()
    var due = credentials.current.renewal(using: &generator)
    while !Task.isCancelled {
      let isAsked = await next(&iterator, by: due)
      guard isAsked || due <= now() else { continue }
      do {
        if isAsked { try await sleep(.seconds(Double.random(in: Self.spread, using: &generator))) }
        try await renew()
      } catch {
        if Task.isCancelled { return }
        steps.failed(error)
        // Not again at once, whoever asks.
        guard (try? await sleep(isAsked ? Self.retry / 12 : Self.retry)) != nil else { return }
        continue
      }
      due = credentials.current.renewal(using: &generator)
    }
  }

  /// Returns when it is time to look again; whether the managers want what the node has not.
  private func next(_ iterator: inout AsyncStream<String?>.Iterator, by due: Timestamp) async -> Bool {
    let pause = min(max(due - now(), .zero), Self.longestSleep)
    // Cancelled when the scope ends.
    async let _: Void = { if (try? await sleep(pause)) != nil { wishes.wake.yield(nil) } }()
    guard let mark = await iterator.next() ?? nil else { return false }
    return mark != credentials.current.mark
  }

  private func renew() async throws {
    let (present, key) = (credentials.current, NodeKey.make())
    let reply = try await steps.ask(try key.signingRequest())
    let renewed = try present.next(
      key, certificatePEM: reply.certificate, trust: reply.trust, crossSigned: reply.crossSigned)
    try steps.keep(renewed)
    credentials.replace(renewed)
    steps.show(renewed)
  }
}

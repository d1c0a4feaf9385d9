// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import Logging
import Netfilter

/// Keeps this host's ends of overlay networks as the managers say, whoever else changes them.
package actor OverlayKeeper {
  /// A little less than what passes at most between two looks.
  private static let lookInterval = Duration.seconds(9)

  private let logger: Logger
  private var kernel: OverlayKernel?
  /// `nil` until somebody has said what is wanted: what an agent before left is not touched.
  private var plans: OverlayPlans?
  /// When all entries were looked at.
  private var looked: ContinuousClock.Instant?
  private var complaint: String?

  package init(logger: Logger) { self.logger = logger }

  /// Those with a container on this host. Returns when the kernel has them, or cannot have them now: then it is tried again. Without a
  /// mesh there is no way to other hosts.
  package func want(_ networks: [OverlayNetwork], _ mesh: Mesh?) async {
    let isFirst = plans == nil
    var wanted = plans.take() ?? OverlayPlans()
    let differences = wanted.follow(networks, mesh)
    plans = wanted
    if differences != nil || isFirst { ensure(isNews: true, differences ?? [:]) }
  }

  /// Looks again now: a network's bridge has been made.
  package func ensure() { ensure(isNews: true, unchanged) }

  /// Until cancelled; the tunnels stay, as containers do.
  package func run() async {
    do { try await NetlinkWatch.run { await self.look() } } catch is CancellationError {} catch { complain(error) }
  }

  /// The kernel tells of no change of entries, so these are looked at now and then alone, and tunnels at once.
  private func look() {
    let isDue = looked.map { .now - $0 > Self.lookInterval } ?? true
    ensure(isNews: false, isDue ? [:] : unchanged)
  }

  private var unchanged: OverlayPlans.Differences {
    Dictionary((plans?.all ?? []).map { ($0.tunnel, .init()) }) { first, _ in first }
  }

  private func ensure(isNews: Bool, _ differences: OverlayPlans.Differences) {
    guard let plans else { return }
    if differences.isEmpty { looked = .now }
    do {
      let kernel = try kernel ?? OverlayKernel()
      self.kernel = kernel
      let changes = try kernel.ensure(plans.all, differences)
      complaint = nil
      if changes > 0, !isNews {
        logger.warning("overlay networks' tunnels were changed by somebody; put back", metadata: ["changes": "\(changes)"])
      }
    } catch {
      complain(error)
    }
  }

  // Once, not every ten seconds.
  private func complain(_ error: any Error) {
    guard complaint != "\(error)" else { return }
    complaint = "\(error)"
    logger.error("overlay networks do not reach other hosts", metadata: ["error": "\(error)"])
  }

  /// Takes away what is left of them, after the last agent of a swarm.
  package static func remove() async throws { try OverlayKernel().remove() }
}

// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import Logging
import Netfilter

/// Keeps this host's ends of overlay networks as the managers say, whoever else changes them.
package actor OverlayKeeper {
  private let logger: Logger
  private var kernel: OverlayKernel?
  /// `nil` until somebody has said what is wanted: what an agent before left is not touched.
  private var plans: [OverlayPlan]?
  private var complaint: String?

  package init(logger: Logger) { self.logger = logger }

  /// Those with a container on this host. Returns when the kernel has them, or cannot have them now: then it is tried again. Without a
  /// mesh there is no way to other hosts.
  package func want(_ networks: [OverlayNetwork], _ mesh: Mesh?) async {
    let wanted = mesh.map { mesh in networks.map { OverlayPlan($0, mesh) } } ?? []
    guard wanted != plans else { return }
    plans = wanted
    ensure(isNews: true)
  }

  /// Looks again now: a network's bridge has been made.
  package func ensure() { ensure(isNews: true) }

  /// Until cancelled; the tunnels stay, as containers do.
  package func run() async {
    do { try await NetlinkWatch.run { await self.ensure(isNews: false) } } catch is CancellationError {} catch { complain(error) }
  }

  private func ensure(isNews: Bool) {
    guard let plans else { return }
    do {
      let kernel = try kernel ?? OverlayKernel()
      self.kernel = kernel
      let changes = try kernel.ensure(plans)
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

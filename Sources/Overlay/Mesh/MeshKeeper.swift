// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import Logging
import Netfilter
import Netlink

/// Keeps this host's end of the mesh as the managers say, whoever else changes it.
package actor MeshKeeper {
  private let bridge: String
  private let firewall: EngineFirewall
  private let logger: Logger
  private var kernel: MeshKernel?
  private var plan: MeshPlan?
  private var complaint: String?

  /// `bridge` is the interface through which containers with ingress ports answer.
  package init(bridge: String, logger: Logger) {
    self.bridge = bridge
    self.logger = logger
    firewall = EngineFirewall(bridge: bridge)
  }

  /// What a packet to another host's container may have at most; `nil` while there is no way there.
  package var packetSize: UInt32? { plan == nil ? nil : kernel?.packetSize }

  /// Returns when the kernel has it, or cannot have it now: then it is tried again. `nil` takes it away.
  package func want(_ mesh: Mesh?) async {
    let wanted = mesh.map { MeshPlan(mesh: $0, bridge: bridge) }
    guard wanted != plan else { return }
    plan = wanted
    if wanted == nil { attempt { try kernel?.remove() } } else { await ensure(isNews: true) }
  }

  /// Until cancelled; the mesh stays, as containers do.
  package func run() async {
    do { try await NetlinkWatch.run { await self.ensure(isNews: false) } } catch is CancellationError {} catch { complain(error) }
  }

  private func ensure(isNews: Bool) async {
    guard let plan else { return }
    attempt {
      let kernel = try kernel ?? MeshKernel(bridge: bridge)
      self.kernel = kernel
      let changes = try kernel.ensure(plan)
      if changes > 0, !isNews {
        logger.warning("the tunnel to other hosts was changed by somebody; put back", metadata: ["changes": "\(changes)"])
      }
    }
    do { _ = try await firewall.ensure() } catch { complain(error) }
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
      complaint = nil
    } catch {
      complain(error)
    }
  }

  // Once, not every ten seconds.
  private func complain(_ error: any Error) {
    guard complaint != "\(error)" else { return }
    complaint = "\(error)"
    logger.error("other hosts' containers cannot be reached", metadata: ["error": "\(error)"])
  }

  /// Takes away what is left of it, after the last agent of a swarm.
  package static func remove(bridge: String) async throws {
    try MeshKernel(bridge: bridge).remove()
    try await EngineFirewall(bridge: bridge).remove()
  }
}

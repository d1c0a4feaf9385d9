// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import Logging

/// Keeps the rules of `SourceRules` in force and the relay informed of whose address it may keep.
///
/// It fails safe: while the rules cannot be in force, clients are served from this host's own address.
package actor SourceKeeper {
  private let interfaces: [String]
  private let inside: @Sendable () async throws -> [IPv4Subnet]
  private let tell: @Sendable (SourcePolicy) async throws -> Void
  private let logger: Logger
  private var kernel: SourceRulesInKernel?
  private var known: [IPv4Subnet]?
  private var told: SourcePolicy?
  private var complaint: String?

  /// - Parameters:
  ///   - interfaces: those through which containers answer.
  ///   - inside: this host's addresses and its containers' networks.
  ///   - tell: gives the relay its policy.
  package init(
    interfaces: [String], logger: Logger, inside: @escaping @Sendable () async throws -> [IPv4Subnet],
    tell: @escaping @Sendable (SourcePolicy) async throws -> Void
  ) {
    self.interfaces = interfaces
    self.inside = inside
    self.tell = tell
    self.logger = logger
  }

  /// Until cancelled; the rules stay, as the relay does.
  package func run() async {
    do { try await NetlinkWatch.run { await self.look() } } catch is CancellationError {} catch { complain(error) }
  }

  private func look() async {
    do {
      let kernel = try kernel ?? SourceRulesInKernel(interfaces: interfaces)
      self.kernel = kernel
      if try kernel.ensure(), told != nil { logger.warning("the rules that keep clients' addresses were gone; put back") }
    } catch {
      complain(error)
      try? await give(.none)
      return
    }
    do {
      // While the engine is away its networks stay as they are, and the relay goes on as it was told, by an earlier life too.
      do { known = try await inside() } catch  where known != nil {}
      try await give(SourcePolicy(keeps: true, inside: known ?? []))
      complaint = nil
    } catch {
      complain(error)
    }
  }

  private func give(_ policy: SourcePolicy) async throws {
    guard policy != told else { return }
    try await tell(policy)
    told = policy
  }

  // Once, not every ten seconds.
  private func complain(_ error: any Error) {
    guard complaint != "\(error)" else { return }
    complaint = "\(error)"
    logger.warning("clients' addresses are not kept", metadata: ["error": "\(error)"])
  }

  /// Takes the rules away. The relay has gone before.
  package static func removeRules(interfaces: [String]) throws {
    try SourceRulesInKernel(interfaces: interfaces).remove()
  }
}

// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
package import Logging
import Netfilter

/// Keeps in the packet filter what of the endpoint table it can carry, whoever else changes it.
///
/// It fails safe: what is not in the filter goes to the relay, which listens at every port.
package actor OffloadKeeper {
  private let interfaces: [String]
  private let logger: Logger
  private var kernel: OffloadKernel?
  /// `nil` until the first has come: what an earlier life has left stays in force.
  private var table: EndpointTable?
  private var inside: [IPv4Subnet]?
  private var isInsideKnown = false
  private var complaint: String?

  /// - Parameter interfaces: those through which containers answer.
  package init(interfaces: [String], logger: Logger) {
    self.interfaces = interfaces
    self.logger = logger
  }

  /// Returns when the table is in force.
  package func program(_ table: EndpointTable) {
    self.table = table
    ensure(isNews: true)
  }

  /// Clients from there are the relay's. `nil` while nobody's address can be kept: then all are.
  package func setInside(_ inside: [IPv4Subnet]?) {
    guard inside != self.inside || !isInsideKnown else { return }
    (self.inside, isInsideKnown) = (inside, true)
    ensure(isNews: true)
  }

  /// Ends what is open to endpoints that are lost, by whatever way it came.
  package func cut(_ addresses: Set<IPv4Address>) {
    attempt { try $0.cut(addresses) }
  }

  /// Until cancelled; the rules stay, as connections do.
  package func run() async {
    do { try await NetlinkWatch.run { await self.ensure(isNews: false) } } catch is CancellationError {} catch { complain(error) }
  }

  private func ensure(isNews: Bool) {
    guard let table, isInsideKnown else { return }
    let offered = inside == nil ? EndpointTable(generation: 0) : table
    let rules = OffloadRules(offered, inside: inside ?? [], interfaces: interfaces)
    let endpoints = Set(table.listeners.flatMap { $0.endpoints.map(\.address) })
    attempt { kernel in
      if try kernel.ensure(rules, endpoints: endpoints), !isNews {
        logger.warning("the packet filter's part of traffic was changed by somebody; put back")
      }
    }
  }

  private func attempt(_ body: (OffloadKernel) throws -> Void) {
    do {
      let kernel = try kernel ?? OffloadKernel()
      self.kernel = kernel
      try body(kernel)
      complaint = nil
    } catch {
      complain(error)
    }
  }

  // Once, not every ten seconds.
  private func complain(_ error: any Error) {
    guard complaint != "\(error)" else { return }
    complaint = "\(error)"
    logger.warning("the packet filter carries no traffic; the relay does", metadata: ["error": "\(error)"])
  }

  /// Takes away what is left of it.
  package static func remove() throws { try OffloadKernel().remove() }
}

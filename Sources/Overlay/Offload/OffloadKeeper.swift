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

  /// How long is waited for clients that are on their way to an endpoint that gets no more.
  private static let patience = Duration.seconds(1)
  private static let pause = Duration.milliseconds(10)

  /// Returns when the table is in force, and nobody is on the way to an endpoint any more that gets nothing new: whoever then counts the
  /// endpoint's connections sees all there will be.
  package func program(_ table: EndpointTable) async {
    let before = self.table
    self.table = table
    ensure(isNews: true)
    guard let before else { return }
    let gone = before.addresses(.ready).subtracting(table.addresses(.ready))
    if !gone.isEmpty { await settle(gone.intersection(table.addresses(.draining))) }
    // Nobody is there who could answer.
    let left = before.addresses(.ready).union(before.addresses(.draining))
      .subtracting(table.addresses(.ready)).subtracting(table.addresses(.draining))
    if !left.isEmpty { attempt { try $0.release(left) } }
  }

  private func settle(_ draining: Set<IPv4Address>) async {
    let marks = draining.map(OffloadMark.of)
    // A packet that has met the rules before is not tracked until it is through.
    guard (try? await Task.sleep(for: Self.pause * 2)) != nil else { return }
    for _ in 0..<Int(Self.patience / Self.pause) {
      var isApproached = false
      attempt { isApproached = try !$0.approached().isDisjoint(with: marks) }
      guard isApproached, (try? await Task.sleep(for: Self.pause)) != nil else { return }
    }
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

  /// Nothing is open to an endpoint any more, which is about to end.
  ///
  /// When its container has ended, the engine forgets all that is tracked of its address, one by one from a list that it made before: where
  /// a client meanwhile began anew from the same port, it forgets that one, which is open to somebody else. So there must be nothing to list.
  package func forget(_ address: IPv4Address) {
    attempt { try $0.forget(address) }
  }

  /// A client repeats its attempt after a second.
  private static let releaseInterval = Duration.milliseconds(400)

  /// Until cancelled; the rules stay, as connections do.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.releaseRegularly() }
      do { try await NetlinkWatch.run { await self.ensure(isNews: false) } } catch is CancellationError {} catch {
        complain(error)
      }
      group.cancelAll()
    }
  }

  private func releaseRegularly() async {
    while (try? await Task.sleep(for: Self.releaseInterval)) != nil {
      guard kernel != nil else { continue }
      attempt { try $0.releaseRefused() }
    }
  }

  private func ensure(isNews: Bool) {
    guard let table, isInsideKnown else { return }
    let offered = inside == nil ? EndpointTable(generation: 0) : table
    let rules = OffloadRules(offered, inside: inside ?? [], interfaces: interfaces)
    attempt { kernel in
      if try kernel.ensure(rules), !isNews {
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

extension EndpointTable {
  fileprivate func addresses(_ state: Endpoint.State) -> Set<IPv4Address> {
    Set(listeners.flatMap { $0.endpoints.filter { $0.state == state }.map(\.address) })
  }
}

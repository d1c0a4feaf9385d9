// SPDX-License-Identifier: Apache-2.0

package import Balancing
import ClusterModel
package import Netlink

/// The plans of all networks with a container on this host, and what of each is new: a change costs what has changed, however many
/// containers there are.
package struct OverlayPlans: Sendable {
  /// What is to be done to a tunnel's entries.
  package struct Difference: Sendable, Hashable {
    package var removed: Set<Neighbour> = []
    package var added: Set<Neighbour> = []

    package init(removed: Set<Neighbour> = [], added: Set<Neighbour> = []) {
      self.removed = removed.subtracting(added)
      self.added = added.subtracting(removed)
    }

    package var isEmpty: Bool { removed.isEmpty && added.isEmpty }
  }

  /// By tunnel; of a network that is not among them, everything may be new.
  package typealias Differences = [UInt32: Difference]

  package private(set) var all: [OverlayPlan] = []
  private var mesh: Mesh?
  private var endpoints: [UInt32: [OverlayEndpoint]] = [:]

  package init() {}

  /// Without a mesh there is no way to other hosts. `nil` when nothing is new.
  package mutating func follow(_ networks: [OverlayNetwork], _ mesh: Mesh?) -> Differences? {
    let known = self.mesh == mesh ? Dictionary(all.map { ($0.tunnel, $0) }) { first, _ in first } : [:]
    let former = all.map(\.tunnel)
    var differences: Differences = [:]
    all = mesh.map { mesh in networks.map { plan($0, mesh, known[$0.tunnel], &differences) } } ?? []
    endpoints = Dictionary(networks.map { ($0.tunnel, $0.endpoints) }) { first, _ in first }
    self.mesh = mesh
    let isSame = differences.count == all.count && differences.values.allSatisfy(\.isEmpty)
    return isSame && all.map(\.tunnel) == former ? nil : differences
  }

  private func plan(
    _ network: OverlayNetwork, _ mesh: Mesh, _ known: OverlayPlan?, _ differences: inout Differences
  ) -> OverlayPlan {
    guard var plan = known, let old = endpoints[network.tunnel] else { return OverlayPlan(network, mesh) }
    let (before, after) = Self.changed(old, network.endpoints)
    let difference = Difference(removed: OverlayPlan.neighbours(before, mesh), added: OverlayPlan.neighbours(after, mesh))
    if !difference.isEmpty { plan.apply(difference) }
    differences[network.tunnel] = difference
    return plan
  }

  /// What is between the parts that are alike at both ends. All that have one address are together, as both are sorted by it.
  private static func changed(
    _ old: [OverlayEndpoint], _ new: [OverlayEndpoint]
  ) -> (ArraySlice<OverlayEndpoint>, ArraySlice<OverlayEndpoint>) {
    let shorter = min(old.count, new.count)
    var start = 0
    while start < shorter, isAlike(old[start], new[start]) { start += 1 }
    var end = 0
    while end < shorter - start, isAlike(old[old.count - 1 - end], new[new.count - 1 - end]) { end += 1 }
    // The first of an address decides where it is.
    while start > 0, [old, new].contains(where: { start < $0.count && $0[start].address == $0[start - 1].address }) { start -= 1 }
    while end > 0,
      [old, new].contains(where: { list in
        let next = list.count - end
        return next > 0 && list[next].address == list[next - 1].address
      })
    { end -= 1 }
    return (old[start..<(old.count - end)], new[start..<(new.count - end)])
  }

  private static func isAlike(_ one: OverlayEndpoint, _ other: OverlayEndpoint) -> Bool {
    one.address == other.address && one.nodeID == other.nodeID
  }
}
